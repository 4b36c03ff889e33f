"""Computes the golden values again: python check.py vectors.json PAGE.md ... Ends with code 1 and says what differs."""
import hashlib
import json
import math
import os
import sys
sys.dont_write_bytecode = True
import numpy as np
import federation
import vectors
from arithmetic import F, f32
from client import contribute
from streams import Random, canonical_json, hash_array, hash_of
from training import AdamW, Bert, Sgd, step
from use_lite import UseLite, made_up

FOLDER = 'test/fixtures/tiny-bert'
problems = []


def compare(title, got, expected):
    """True where equal."""
    if got != expected:
        problems.append('%s is %s, expected %s' % (title, got, expected))
    return got == expected


def printed(value):
    """Values as a line of vectors shows them."""
    if isinstance(value, bytes):
        return '#' + value.hex()
    if isinstance(value, np.ndarray) and value.dtype in (F, np.float64):
        word, digits = (np.uint32, '%08x') if value.dtype == F else (np.uint64, '%016x')
        value = np.where(np.isnan(value), value.dtype.type(np.nan), value).astype(value.dtype)
        return ','.join('0x' + digits % bits for bits in np.ascontiguousarray(value).ravel().view(word).tolist())
    return ','.join(json.dumps(item, ensure_ascii=False) if isinstance(item, str) else str(item) for item in value)


def check_page(path):
    count, inside = 0, False
    with open(path, encoding='utf8') as page:
        for line in page.read().split('\n'):
            if line.startswith('```'):
                inside = line == '```vector'
            elif inside and line:
                problems.extend(vectors.differences(line))
                count += 1
    return count


def check_operations(golden):
    for line, expected in golden.items():
        op, given, _ = vectors.parse(line)
        got = {key: hashlib.sha256(printed(value).encode()).hexdigest() for key, value in vectors.compute(op, given).items()}
        compare(line[:100], got, expected)
    return len(golden)


def start(model):
    """The golden trainings' own initial values of B and of the head."""
    for name, values in model.parameters.items():
        if name.startswith('head.') or name.endswith('.lora_B'):
            source = Random('start', name)
            values[:] = f32([(2 * source.uniform() - 1) * 0.2 for _ in range(values.size)]).reshape(values.shape)


def check_training(golden):
    job = golden['job']
    if job['model'] == 'use-lite':
        model = UseLite(made_up(), 3, job['lora'], job['format'])
    else:
        model = Bert('test/fixtures/' + job['model'], 3, job['lora'], job['format'], job['pooling'])
    start(model)
    parts, rank = model.slice(**job['slice'])
    whole, _ = model.slice()
    optimizer = (Sgd if job['optimizer']['kind'] == 'sgd' else AdamW)(**job['optimizer']['settings'])
    dropout = (job['dropout']['rate'], job['dropout']['key']) if 'dropout' in job else None
    for i, (batch, expected) in enumerate(zip(golden['batches'], golden['steps'])):
        losses, norm = step(model, parts, rank, optimizer, batch['sequences'], batch['targets'], job.get('maxGradientNorm'), dropout)
        total = 0.0
        for loss in losses:
            total += float(loss)
        title = '%s, step %d: ' % (job['name'], i + 1)
        same = compare(title + 'loss', printed(np.array([total / len(losses)])), expected['loss'])
        same = compare(title + 'norm', printed(np.array([norm])), expected['norm']) and same
        if not (compare(title + 'hash of all values', hash_array(model.read(whole)), expected['values']) and same):
            return
    for name, expected in golden['tensors'].items():
        compare('%s: %s' % (job['name'], name), hash_array(model.parameters[name]), expected)


def check_contributions(golden):
    plan = golden['plan']
    compare('plan', hash_of(plan), golden['planHash'])
    lattice = plan['lattice']
    compare('lattice', canonical_json(federation.choose_lattice(
        lattice['clip'], lattice['cohort'], lattice['dimension'], lattice['noiseMultiplier'], lattice['capacity'])), canonical_json(lattice))
    model = Bert(FOLDER, 3, {'rank': 2, 'alpha': 8, 'sites': ['encoder.layer.1.attention.self.value'], 'seed': 7}, 'f32')
    start(model)
    parts, _ = model.slice()
    state = model.read(parts)
    compare('state', hash_array(state), plan['state'])
    for client, batch, expected in zip((0, 7), golden['batches'], golden['integers']):
        compare('integers of client %d' % client, contribute(model, plan, state, batch['sequences'], batch['targets'], client), expected)
    return len(golden['integers'])


def task_hash(task):
    files = {}
    for name in ('config.json', '1_Pooling/config.json', 'model.safetensors', 'model.safetensors.index.json', 'model.json', 'tokenizer.json',
                 'tokenizer_config.json', 'vocab.txt', 'vocab.json', 'merges.txt'):
        if os.path.exists(os.path.join(task['model'], name)):
            with open(os.path.join(task['model'], name), 'rb') as file:
                files[name] = hashlib.sha256(file.read()).hexdigest()
    return hash_of({'files': files, 'description': {key: value for key, value in task.items() if key not in ('model', 'hash')}})


def check_simulation(golden):
    s, clients = golden['settings'], golden['clients']
    privacy, seed, cohort, lora = s['privacy'], s['seed'], s['cohort'], s['task']['lora']
    public_seed = hash_of({'purpose': 'public seed', 'seed': seed})
    noise_root = bytes.fromhex(hash_of({'purpose': 'noise', 'seed': seed}))
    model = Bert(s['task']['model'], len(s['task']['labels']), lora, s['task']['format'])
    compare('task', task_hash(s['task']), s['task']['hash'])
    server = AdamW(s['server']['learningRate'], beta2=0.99, eps=1e-4, weightDecay=0)
    z = privacy['noiseMultiplier'] * cohort / privacy['noiseCohort']
    clip = privacy['clip']
    named = lambda parts: [{'tensor': name, 'from': a, 'to': b, 'columns': model.parameters[name][0].size} for name, a, b in parts]
    length = lambda parts: sum((b - a) * model.parameters[name][0].size for name, a, b in parts)
    for round, expected in enumerate(golden['rounds'], 1):
        rank = 1 + Random(public_seed, 'rank', round).below(lora['rank'])
        parts, _ = model.slice(rank)
        state = model.read(parts)
        slice = {'parts': named(parts), 'length': length(parts), 'rank': rank}
        plan = {
            'version': 1, 'numerics': 1, 'round': round, 'task': s['task']['hash'], 'state': hash_array(state), 'slice': slice, 'reads': slice, 'local': s['local'],
            'publicSeed': public_seed,
            'lattice': federation.choose_lattice(clip * math.sqrt(rank / lora['rank']), cohort, length(parts), z,
                                                 min(len(clients), cohort + math.ceil(6 * math.sqrt(cohort)) + 2), quantile=max(cohort / 20, z)),
        }
        if not compare('plan of round %d' % round, hash_of(plan), expected['plan']):
            return round
        draw = Random(seed, 'sampling', round)
        chosen = [i for i in range(len(clients)) if draw.uniform() < cohort / len(clients)][:plan['lattice']['capacity']]
        total = [0] * plan['lattice']['length']
        hashes = []
        for number, who in enumerate(chosen):
            integers = contribute(model, plan, state, [e['tokens'] for e in clients[who]], [e['target'] for e in clients[who]], number)
            hashes.append(hash_array(np.array(integers, np.int32)))
            total = [a + b for a, b in zip(total, integers)]
        if not compare('contributions of round %d' % round, hashes, expected['contributions']):
            return round
        model.write(parts, state)
        _, mean, within = federation.release(plan['lattice'], total, bytes.fromhex(public_seed), round, noise_root)
        gradient = mean * F(-1)
        at = 0
        for name, a, b in parts:
            part = model.parameters[name][a:b]
            server.step(model.parameters, name, a, b, gradient[at:at + part.size].reshape(part.shape))
            at += part.size
        clip = federation.next_clip(clip, 0.2, 0.5, within)
        if not compare('state of round %d' % round, hash_array(model.read(parts)), expected['state']):
            return round
    compare('final hash', hash_array(model.read(model.slice()[0])), golden['finalHash'])
    return len(golden['rounds'])


def main():
    with open(sys.argv[1], encoding='utf8') as file:
        golden = json.load(file)
    counts = [sum(check_page(path) for path in sys.argv[2:]), check_operations(golden['operations'])]
    trainings = [value for value in golden.values() if isinstance(value, dict) and 'steps' in value]
    for training in trainings:
        check_training(training)
    counts += [len(trainings), check_contributions(golden['contributions']), check_simulation(golden['simulation'])]
    if problems:
        sys.exit('\n'.join(problem[:400] for problem in problems))
    print('%d vectors, %d operations, %d trainings, %d contributions, %d rounds: equal' % tuple(counts))


main()
