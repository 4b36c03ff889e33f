"""Lines of test vectors: `operation name=values ... -> name=values ...`, and each operation computed."""
import json
import re
import struct
import numpy as np
import arithmetic as A
import federation
import operations as O
import streams as S
from arithmetic import F

ITEM = re.compile(r'~\d+:\d+:[\d.]+|"(?:[^"\\]|\\.)*"|#[0-9a-f]*|0x[0-9a-f]+|-?\d+')


def parse(line):
    """Operation, values given, values that it gives."""
    op, rest = line.split(' ', 1)
    sides, at = [{}], 0
    while at < len(rest):
        if rest[at] == ' ':
            at += 1
        elif rest.startswith('->', at):
            sides.append({})
            at += 2
        else:
            end = rest.index('=', at)
            key, items = rest[at:end], []
            at = end
            while at < len(rest) and rest[at] in '=,':
                item = ITEM.match(rest, at + 1)
                items.append(item.group())
                at = item.end()
            sides[-1][key] = values(items)
    return op, sides[0], sides[-1]


def values(items):
    first = items[0]
    if first[0] == '~':
        seed, count, size = first[1:].split(':')
        source = S.Random('vector', int(seed))
        return A.f32([(2 * source.uniform() - 1) * float(size) for _ in range(int(count))])
    if first[0] == '#':
        return bytes.fromhex(first[1:])
    if first.startswith('0x'):
        kind = (np.uint32, F) if len(first) == 10 else (np.uint64, np.float64)
        return np.array([int(item, 16) for item in items], kind[0]).view(kind[1])
    return [json.loads(item) for item in items]


def bits(value):
    """What is compared: bits, integers, bytes, text."""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, np.ndarray) and value.dtype in (F, np.float64):
        return [format(word, 'x') for word in np.ascontiguousarray(value).ravel().view(np.uint32 if value.dtype == F else np.uint64).tolist()]
    return [str(item) for item in np.ravel(value).tolist()] if not isinstance(value, list) else [str(item) for item in value]


def f64(x):
    return np.array([x], np.float64)


def lattice(v):
    one = lambda key: v[key][0].item() if isinstance(v[key], np.ndarray) else v[key][0]
    return federation.choose_lattice(
        one('clip'), one('cohort'), one('dimension') if 'dimension' in v else len(v['x']), one('z'), one('capacity') if 'capacity' in v else None,
        'nearest' if 'nearest' in v else 'stochastic', 'rotate' in v, 1, one('quantile') if 'quantile' in v else None)


def compute(op, v):
    """The values that an operation gives, by name."""
    n = {key: value[0] for key, value in v.items() if isinstance(value, list)}
    matrix = lambda key, rows: v[key].reshape(n[rows], -1)
    if op in ('exp', 'log', 'phi', 'tanh'):
        return {'y': getattr(A, op)(v['x'])}
    if op in ('gelu_erf', 'gelu_tanh', 'relu', 'silu'):
        return {'y': getattr(O, op)(v['x'])}
    if op in ('gelu_erf_back', 'gelu_tanh_back', 'relu_back', 'silu_back'):
        return {'dx': getattr(O, op)(v['x'], v['dy'])}
    if op == 'tanh_back':
        return {'dx': O.tanh_back(v['y'], v['dy'])}
    if op in ('f16', 'bf16'):
        return {'h': list(getattr(A, op + '_of')(v['x']))}
    if op in ('f16_to_f32', 'bf16_to_f32'):
        return {'x': getattr(A, 'f32_of_' + op.split('_')[0])(v['h'])}
    if op == 'matmul':
        return {'c': O.product(matrix('start', 'm'), v['alpha'][0], matrix('a', 'm'), matrix('b', 'k'))}
    if op in ('linear', 'int8_linear'):
        W = O.weight(matrix('w', 'N'), v.get('format', ['int8'])[0])
        return {'y': W.forward(matrix('x', 'M'), v.get('bias'))}
    if op in ('linear_back', 'int8_linear_back'):
        W = O.weight(matrix('w', 'N'), v.get('format', ['int8'])[0])
        return {'dx': W.back(matrix('dy', 'M'), matrix('start', 'M') if 'start' in v else None)}
    if op == 'int8_quantize':
        W = O.Int8(matrix('w', 'N'))
        return {'q': list(W.w.ravel()), 'scale': W.scale}
    if op == 'column_sums':
        return {'y': O.column_sums(matrix('x', 'M'))}
    if op == 'embedding':
        return {'y': matrix('start', 'M') + O.embedding([(v['ids'], v['table'].reshape(-1, n['C']))])}
    if op == 'embedding_back':
        return {'dtable': O.embedding_back(v['dy'].reshape(-1, n['C']), v['ids'], n['V'])}
    if op == 'layer_norm':
        x = matrix('x', 'M') + matrix('residual', 'M') if 'residual' in v else matrix('x', 'M')
        return {'y': O.layer_norm(x, v['weight'], v['bias'], v['eps'][0])[0]}
    if op == 'layer_norm_back':
        saved = O.layer_norm(matrix('x', 'M'), v['weight'], v['weight'], v['eps'][0])[1]
        return dict(zip(('dx', 'dweight', 'dbias'), O.layer_norm_back(matrix('dy', 'M'), v['weight'], saved)))
    if op.startswith('attention'):
        q, k, x = (v[key].reshape(v['offsets'][-1], -1) for key in 'qkv')
        rest = (v['offsets'], n['H'], v['scale'][0], n['causal'] == 1)
        if op == 'attention':
            return {'out': O.attention(q, k, x, *rest)}
        return dict(zip(('dq', 'dk', 'dv'), O.attention_back(v['dout'].reshape(q.shape), q, k, x, *rest)))
    if op == 'philox':
        return {'words': [int(word) for word in O.philox(v['counter'], v['key'])]}
    if op == 'dropout':
        return {'y': O.dropout(matrix('x', 'M'), v['rate'][0], v['key'], n['stream'], n['first'])}
    if op in ('mean_pool', 'cls_pool'):
        return {'y': getattr(O, op)(v['x'].reshape(-1, n['C']), v['offsets'])}
    if op in ('mean_pool_back', 'cls_pool_back'):
        return {'dx': getattr(O, op)(v['dy'].reshape(-1, n['C']), v['offsets'])}
    if op == 'l2_normalize':
        return {'y': O.l2_normalize(matrix('x', 'M'), v['eps'][0])}
    if op == 'l2_normalize_back':
        return {'dx': O.l2_normalize_back(matrix('x', 'M'), matrix('dy', 'M'), v['eps'][0])}
    if op.startswith('cross_entropy'):
        losses, p = O.cross_entropy(matrix('logits', 'M'), np.array(v['targets']))
        if op == 'cross_entropy':
            return {'losses': losses, 'probabilities': p}
        return {'dlogits': O.cross_entropy_back(p, np.array(v['targets']), v['weight'][0])}
    if op == 'sum_squares':
        return {'sum': f64(O.sum_squares(v['x']))}
    if op == 'sgd':
        return dict(zip('pv', O.sgd(v['p'], v['v'], v['g'], v['lr'][0], v['momentum'][0], v['decay'][0])))
    if op == 'adamw':
        return dict(zip('pmv', O.adamw(v['p'], v['m'], v['v'], v['g'], *(v[key][0] for key in ('lr', 'beta1', 'beta2', 'eps', 'decay')), n['t'])))
    if op == 'canonical_json':
        value = json.loads(n['json'])
        return {'text': [S.canonical_json(value)], 'hash': bytes.fromhex(S.hash_of(value))}
    if op == 'hash_array':
        return {'hash': bytes.fromhex(S.hash_array(v['x']))}
    if op == 'random':
        source = S.Random(*v['labels'])
        return {'u32': [source.u32() for _ in range(n['count'])]}
    if op == 'random_below':
        source = S.Random(*v['labels'])
        return {'values': [source.below(n['n']) for _ in range(n['count'])]}
    if op == 'shuffle':
        return {'items': S.Random(*v['labels']).shuffle(list(range(n['n'])))}
    if op == 'lora_a':
        import training
        return {'first': training.initial_a(n['site'], n['rank'], n['inputs'], n['seed']).ravel()[:n['count']]}
    if op == 'chacha_words':
        stream = S.Stream(v['key'], n['code'], n['index'], n['round'])
        return {'words': [stream.word() for _ in range(n['count'])]}
    if op == 'discrete_gaussian':
        draw = S.DiscreteGaussian(n['sigma'], S.Stream(v['key'], S.CODES['noise'], 0, n['round']))
        return {'values': [draw.sample() for _ in range(n['count'])]}
    if op == 'lattice':
        l = lattice(v)
        out = {key: [l[key]] for key in ('length', 'updateClipInt', 'quantileInt', 'clipInt', 'sigmaInt', 'modulusBits')}
        out.update(step=f64(l['step']), achieved=f64(l['achievedNoiseMultiplier']))
        return out if l['roundingVarianceShare'] is None else {**out, 'share': f64(l['roundingVarianceShare'])}
    if op == 'encode':
        norm, integers = federation.encode(lattice(v), v['x'], v['seed'], n['round'], n['client'])
        return {'norm': f64(norm), 'values': integers}
    if op == 'release':
        total, mean, share = federation.release(lattice(v), v['sum'], v['seed'], n['round'], v['noise'])
        return {'total': total, 'mean': mean, **({} if share is None else {'within': f64(share)})}
    if op == 'correlated':
        lists = [v[key].tolist() for key in ('first', 'second') if key in v]
        strategy = {'tree': federation.Tree, 'banded': federation.Banded, 'blt': federation.Blt}[n['kind']](*lists)
        spread, u = federation.correlated(strategy, v['clip'][0].item(), n['cohort'], n['dimension'], v['z'][0].item(), n['rounds'], v['noise'])
        return {'spread': f64(spread), 'u': [x for row in u for x in row]}
    if op == 'commitment':
        return {'hash': federation.commitment(v['key'])}
    if op == 'next_clip':
        return {'clip': f64(federation.next_clip(*(v[key][0].item() for key in ('clip', 'rate', 'quantile', 'within'))))}
    raise ValueError('operation expected one of the specification, got ' + op)


def differences(line):
    """What differs between a line and what is computed, in words."""
    op, given, gives = parse(line)
    got = compute(op, given)
    found = [] if set(got) == set(gives) else ['%s gives %s, expected %s' % (op, sorted(got), sorted(gives))]
    for key in gives:
        a, b = bits(got.get(key, [])), bits(gives[key])
        if a != b:
            at = next((i for i, (x, y) in enumerate(zip(a, b)) if x != y), min(len(a), len(b)))
            found.append('%s: %s[%d] is %s, expected %s' % (op, key, at, a[at:at + 1], b[at:at + 1]))
    return found
