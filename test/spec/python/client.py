"""A client's round of docs/numerics/training.md."""
import federation
from streams import Random
from training import Sgd, step


def contribute(model, plan, state, sequences, targets, client):
    """A client's integers for a plan."""
    tuples = lambda s: [(part['tensor'], part['from'], part['to']) for part in s['parts']]
    parts, local, seed = tuples(plan['slice']), plan['local'], plan['publicSeed']
    model.write(tuples(plan['reads']), state)
    before = model.read(parts)
    optimizer = Sgd(local['learningRate'], local.get('momentum', 0))
    order = Random(seed, 'order', plan['round'], client)
    used = order.shuffle(list(range(len(sequences))))[:local.get('maxExamples', len(sequences))]
    for epoch in range(local['epochs']):
        if epoch > 0:
            order.shuffle(used)
        for at in range(0, len(used), local['batchSize']):
            batch = used[at:at + local['batchSize']]
            dropout = (local['dropout'], (order.u32(), order.u32())) if local.get('dropout', 0) > 0 else None
            step(model, parts, plan['slice'].get('rank'), optimizer, [sequences[i] for i in batch], [targets[i] for i in batch], local.get('maxGradientNorm'), dropout)
    update = model.read(parts) - before
    return federation.encode(plan['lattice'], update, bytes.fromhex(seed), plan['round'], client)[1]
