'use strict'
const fs = require('node:fs')
const path = require('node:path')

const { INPUT_SARIF_FILE, INPUT_CATEGORY, ACT_KEPT } = process.env
const text = fs.readFileSync(INPUT_SARIF_FILE, 'utf8')
if (JSON.parse(text).version !== '2.1.0') throw new Error('expected SARIF 2.1.0')
fs.mkdirSync(path.join(ACT_KEPT, 'sarif'), { recursive: true })
fs.writeFileSync(path.join(ACT_KEPT, 'sarif', INPUT_CATEGORY + '.sarif'), text)
