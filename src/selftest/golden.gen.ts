// Written by `npm run matrix -- --write`: the hashes of numerics version 1. A difference is a new version, or a fault.
export const golden: { readonly numerics: number, readonly parts: Readonly<Record<string, string>> } = {
  numerics: 1,
  parts: {},
}
