/**
 * Error classes with a meaning of their own. Where none fits, a TypeError says «wrong type», a RangeError «wrong
 * value» and a plain Error «wrong state».
 * @module
 */

/** A file or message from outside breaks its format. The message names the item and, where known, the byte. */
export class FormatError extends Error {
  override readonly name = 'FormatError'
}

/** A NaN or an infinity came up in activations, loss or gradient; the step was stopped and nothing was changed. */
export class NumericError extends Error {
  override readonly name = 'NumericError'
  /** The operation whose output was not finite, e.g. `layer_norm`. */
  readonly operation: string
  /** The layer that the operation belongs to, e.g. `encoder.layer.3.attention.self.query`. */
  readonly layer: string

  constructor(operation: string, layer: string, detail: string) {
    super(`${operation} of "${layer}" expected finite numbers, got ${detail}; ` +
      'the step was stopped: lower the learning rate, or check the weights and the input')
    this.operation = operation
    this.layer = layer
  }
}

/** What was asked would break a privacy promise; nothing was released and nothing was spent. */
export class PrivacyError extends Error {
  override readonly name = 'PrivacyError'
}
