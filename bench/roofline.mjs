// Draws docs/images/roofline.svg from the numbers of bench/results.json: node bench/roofline.mjs
import { readFileSync } from 'node:fs'
import { drawRoofline } from './lib/roofline.mjs'

drawRoofline(JSON.parse(readFileSync(new URL('results.json', import.meta.url), 'utf8')))
