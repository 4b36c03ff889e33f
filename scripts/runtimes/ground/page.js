// The page: starts the program here or in a dedicated worker, and tells the driver of what no handler caught.
const tell = (text) => fetch('/result', { method: 'POST', body: JSON.stringify({ error: text }) })
const said = (event) => `${event.message ?? 'an error without a message'} (${event.filename ?? ''}:${event.lineno ?? ''})`

addEventListener('error', (event) => tell(said(event)))
addEventListener('unhandledrejection', (event) => tell(String(event.reason)))
// some browsers ask for an icon of themselves
addEventListener('securitypolicyviolation', (event) => /favicon/.test(event.blockedURI) || tell(`the content policy ${event.violatedDirective} refused ${event.blockedURI}`))

if (document.documentElement.dataset.thread === 'worker') {
  const worker = new Worker('/run/main.js', { type: 'module' })
  worker.addEventListener('error', (event) => tell(`worker: ${said(event)}`))
} else {
  import('/run/main.js').catch((error) => tell(String(error)))
}
