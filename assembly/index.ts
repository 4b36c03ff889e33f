// The one entry of the module: re-exports kernels, nothing else.
export * from './kernels/elementwise'
