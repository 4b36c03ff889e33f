/** A thread in a browser, a dedicated worker: serves what the page or its first worker asks for. */
import { serveBrowserThread } from './browser.ts'

serveBrowserThread()
