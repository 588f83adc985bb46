// act closes the terminal of a step as soon as the step has failed, and what it has
// not read by then is lost. So a step that fails stays a moment longer.
'use strict'
process.on('exit', (code) => {
  if (code) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1000)
})
