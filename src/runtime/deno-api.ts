/**
 * What is used of Deno's own interface.
 * @module
 */
interface DenoFile {
  seek(offset: number, from: number): Promise<number>
  read(bytes: Uint8Array): Promise<number | null>
  close(): void
}

interface DenoApi {
  readonly version: { readonly deno: string }
  readonly pid: number
  readonly build: { readonly os: string }
  cwd(): string
  readFile(path: string | URL): Promise<Uint8Array>
  open(path: string | URL): Promise<DenoFile>
  stat(path: string | URL): Promise<{ readonly isFile: boolean, readonly size: number }>
  mkdir(path: string | URL, options: { recursive: boolean }): Promise<void>
  writeFile(path: string | URL, bytes: Uint8Array): Promise<void>
  rename(from: string | URL, to: string | URL): Promise<void>
  remove(path: string | URL, options: { recursive: boolean }): Promise<void>
}

/** Deno, in Deno. */
export const Deno = (globalThis as unknown as { readonly Deno: DenoApi }).Deno
