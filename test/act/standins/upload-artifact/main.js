'use strict'
const fs = require('node:fs')
const path = require('node:path')

const { INPUT_NAME, INPUT_PATH, ACT_KEPT } = process.env
// The real one refuses what is called like another one, and what is not there.
fs.cpSync(INPUT_PATH, path.join(ACT_KEPT, 'artifact', INPUT_NAME), { recursive: true, errorOnExist: true, force: false })
