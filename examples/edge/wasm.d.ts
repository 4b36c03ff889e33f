/** An edge worker imports the module ready to use. */
declare module '*.wasm' {
  const module: WebAssembly.Module
  export default module
}
