using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    (name = "main", worker = .main),
    (name = "files", disk = (path = "files")),
    (name = "storage", disk = (path = "storage", writable = true)),
  ],
  sockets = [(name = "http", address = "127.0.0.1:8787", http = (), service = "main")],
);

const main :Workerd.Worker = (
  modules = [
    (name = "worker.js", esModule = embed "worker.js"),
    (name = "sotto/wasm/sotto.simd.wasm", wasm = embed "sotto.simd.wasm"),
    (name = "sotto/wasm/sotto.scalar.wasm", wasm = embed "sotto.scalar.wasm"),
  ],
  compatibilityDate = "2026-01-01",
  bindings = [
    (name = "FILES", service = "files"),
    (name = "MAILBOX", durableObjectNamespace = "Mailbox"),
    (name = "SLICE_TOKENS", json = "256"),
  ],
  durableObjectNamespaces = [(className = "Mailbox", uniqueKey = "mailbox")],
  durableObjectStorage = (localDisk = "storage"),
);
