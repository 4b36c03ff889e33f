/**
 * What a model needs of a tokenizer.
 * @module
 */

/** Turns text into token ids. */
export interface Tokenizer {
  /** What it is, for reports: the kind of model and where it came from. */
  readonly name: string
  /** One more than the largest id; the embedding table must have at least as many rows. */
  readonly vocabularySize: number
  /** Ids put before and after each text, e.g. [CLS] and [SEP]; empty arrays where the model has none. */
  readonly specials: { readonly before: readonly number[], readonly after: readonly number[] }
  /**
   * Token ids of one text, special tokens included, cut on the right to `maxTokens`.
   *
   * There is always at least one id: a text without any token (empty, or only control characters) gives the special
   * tokens, or the unknown token where the model has no special ones. A lone surrogate counts as U+FFFD. The time is
   * linear in what is read of the text.
   *
   * @param maxTokens The most ids to return; at least one more than there are special tokens.
   * @throws TypeError where `text` is not a string, RangeError where `maxTokens` leaves no room.
   */
  encode(text: string, maxTokens: number): Int32Array
}
