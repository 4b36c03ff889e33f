// How far a narrow base is from f32 on the same batches: cosines of logits and of every gradient of the adapter and head.

/** sum ab / sqrt(sum aa sum bb). */
export function cosine(a, b) {
  let ab = 0, aa = 0, bb = 0
  for (let i = 0; i < a.length; i++) {
    ab += a[i] * b[i]
    aa += a[i] ** 2
    bb += b[i] ** 2
  }
  return ab / Math.sqrt(aa * bb)
}

/** A classifier with an adapter whose two factors are not zero, so that both have gradients: the same for every format. */
export async function taskOf(sotto, { folder, sites, outliers }, { keep, ...options }, { rank = 8, seed = 1, zero = false } = {}) {
  const host = sotto.node()
  const { encoder, tokenizer } = await sotto.loadModel(host, keep ? await quantized(sotto, host.folder(folder), outliers) : folder, options)
  const adapter = sotto.attachLora(encoder, { rank, alpha: 2 * rank, sites, seed })
  const task = sotto.textClassifier({ encoder, adapter, labels: ['ham', 'spam'] })
  if (!zero) {
    const draw = sotto.random('quality', seed)
    const spread = (size) => Float32Array.from({ length: size }, () => 0.1 * (draw.uniform() - 0.5))
    for (const { Bt } of adapter.pairs) Bt.write(spread(Bt.length))
    task.parameters.get('head.weight').write(spread(2 * encoder.embeddingWidth))
  }
  return { task, tokenizer }
}

/** The folder as `sotto quantize --keep` writes it, in memory. */
async function quantized(sotto, source, keep) {
  const parts = []
  const { config, bytes } = await sotto.quantizeModel(await sotto.createEngine(sotto.node()), source, { keep }, async (data, at) => { parts.push([data.slice(), at]) })
  const weights = new Uint8Array(bytes)
  for (const [data, at] of parts) weights.set(data, at)
  const own = sotto.memorySource({ 'config.json': config, 'model.safetensors': weights })
  return {
    has: async (name) => await own.has(name) || (name !== 'model.json' && source.has(name)),
    read: async (name) => await own.has(name) ? own.read(name) : source.read(name),
  }
}

/** Logits and gradients of a batch. */
export function outcome(sotto, task, { sequences, targets }) {
  const slice = sotto.sliceOf(task), batch = task.pack(sequences), { arena } = task.encoder.engine
  const logits = sotto.predict(task, batch)
  return sotto.withGradients(task, batch, targets, slice, {}, (gradients, { loss }) => ({
    logits, loss,
    gradients: new Map([...gradients].map(([part, at]) => [part.tensor, arena.f32(at, (part.to - part.from) * part.columns).slice()])),
  }))
}

/** Cosines of some batches with those of f32: of the logits (all batches as one vector), and of each gradient of each batch. */
export function compare(expected, got) {
  const joined = (outcomes) => Float32Array.from(outcomes.flatMap(({ logits }) => [...logits]))
  const gradients = got.flatMap((each, i) => [...each.gradients].map(([name, values]) => ({ name, cosine: cosine(values, expected[i].gradients.get(name)) })))
  gradients.sort((a, b) => a.cosine - b.cosine)
  return { logits: cosine(joined(got), joined(expected)), least: gradients[0], median: gradients[gradients.length >> 1].cosine, gradients: gradients.length }
}

/** Rows { model, format, logits, least, median }. `texts` is [{ text, label }], taken `size` a batch, half of each label. */
export async function cosines(sotto, model, formats, { train }, { batches = 4, size = 8, tokens = 64 } = {}) {
  const measured = {}
  let data
  for (const [name, options] of [['f32', { format: 'f32' }], ...Object.entries(formats)]) {
    const { task, tokenizer } = await taskOf(sotto, model, options)
    data ??= batchesOf(train, batches, size, (text) => tokenizer.encode(text, tokens))
    measured[name] = data.map((batch) => outcome(sotto, task, batch))
  }
  return Object.keys(formats).map((format) => ({ model: model.name, format, ...compare(measured.f32, measured[format]) }))
}

/** Batches with as many texts of each label, spread over the list. */
export function batchesOf(texts, batches, size, encode) {
  const half = size / 2, of = (label) => {
    const all = texts.filter((text) => text.label === label)
    return Array.from({ length: batches * half }, (_, i) => all[Math.floor((i + 0.5) * all.length / (batches * half))])
  }
  const ham = of('ham'), spam = of('spam')
  return Array.from({ length: batches }, (_, b) => {
    const chosen = [...ham.slice(b * half, b * half + half), ...spam.slice(b * half, b * half + half)]
    return { sequences: chosen.map(({ text }) => encode(text)), targets: Int32Array.from(chosen, ({ label }) => label === 'spam' ? 1 : 0) }
  })
}
