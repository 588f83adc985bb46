// Starts the engine, a Go program, for one half of the step: main or post. It
// finds the engine, verifies it, hands signals on, and ends as the engine ends.
// All else is the engine's. There is nothing to install: Node.js alone runs it.
'use strict'
const { spawn, spawnSync } = require('node:child_process')
const { createHash } = require('node:crypto')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const pinned = require('../archives.json')

const { env } = process
const windows = process.platform === 'win32'
const suffix = windows ? '.exe' : ''
const system = { linux: 'linux', darwin: 'darwin', win32: 'windows' }[process.platform] ?? process.platform
const target = `${system}_${{ x64: 'amd64', arm64: 'arm64' }[process.arch] ?? process.arch}`
const build = 'or build the engine in an earlier step (go build -o bluegreen-action ./cmd/bluegreen-action) and name it with the input binary'

const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex')
const lstat = (file) => fs.lstatSync(file, { throwIfNoEntry: false })
const isPinned = (file, sum) => Boolean(lstat(file)?.isFile()) && sha256(fs.readFileSync(file)) === sum

// engine is the path of a program that may be run.
async function engine(stopped) {
  if (env.INPUT_BINARY) return given(path.resolve(env.GITHUB_WORKSPACE ?? '', env.INPUT_BINARY))
  const archive = pinned.archives[target]
  if (!archive) {
    const known = Object.keys(pinned.archives).join(', ') || 'none, for it was never released'
    throw new Error(`no engine for ${target}: this revision of the Action has those for ${known}; use a runner or a released revision that has one, ${build}`)
  }
  const cache = env.RUNNER_TOOL_CACHE || env.RUNNER_TEMP
  if (!cache) throw new Error('no place for the engine: expected RUNNER_TOOL_CACHE, which every runner sets, to name a folder')
  const folder = path.join(cache, 'kubectl-bluegreen', pinned.version, target)
  const file = path.join(folder, 'bluegreen-action' + suffix)
  // Whoever had the runner before could write there, so what lies there is
  // verified as if it had just come.
  if (!isPinned(file, archive.engine) || !mayRun(file)) await place(archive, folder, file, stopped)
  return file
}

// mayRun reports whether a verified file may be executed, and lets it be.
function mayRun(file) {
  if (windows) return true
  try {
    fs.chmodSync(file, 0o755)
    return true
  } catch {
    return (lstat(file)?.mode & 0o111) !== 0 // somebody else's, who may have allowed it
  }
}

function given(file) {
  if (fs.statSync(file, { throwIfNoEntry: false })?.isFile()) return file
  throw new Error(`input binary: expected a program at ${file}, and there is none; build it in an earlier step, or leave the input out`)
}

// place fetches the archive and puts its engine at file. What is not verified is
// written nowhere. Jobs that share the cache may do so at once: each
// works in a folder of its own, and the last move replaces the file as a whole.
async function place(archive, folder, file, stopped) {
  const name = `kubectl-bluegreen_${target}.${windows ? 'zip' : 'tar.gz'}`
  const bytes = await obtain(name, archive.sha256, stopped)
  fs.mkdirSync(folder, { recursive: true })
  const work = fs.mkdtempSync(path.join(folder, '.unpack-'))
  try {
    fs.writeFileSync(path.join(work, name), bytes)
    const unpacked = path.join(work, path.basename(file))
    unpack(path.join(work, name), work, path.basename(file))
    if (!isPinned(unpacked, archive.engine)) throw new Error(`the engine in ${name} is not the one that was pinned with it; use another revision of the Action, ${build}`)
    move(unpacked, file, archive.engine)
  } finally {
    fs.rmSync(work, { recursive: true, force: true })
  }
}

// obtain is the archive, from the first address that has it.
async function obtain(name, sum, stopped) {
  const failures = []
  for (const url of addresses(name)) {
    const shown = url.origin + url.pathname
    try {
      const bytes = await download(url, stopped)
      if (sha256(bytes) === sum) return bytes
      failures.push(`${shown} is not the archive that was released: expected SHA-256 ${sum}, got ${sha256(bytes)}; nothing of it was kept or run; if a mirror serves it, have it copied anew, else tell the maintainers as SECURITY.md says`)
    } catch (error) {
      if (stopped.aborted) throw stopped.reason
      failures.push(`fetch ${shown}: ${error.cause?.message || error.message}; expected the archive of ${pinned.version}: where the runner can't reach it, set the variable BLUEGREEN_ACTION_RELEASES to a mirror, ${build}`)
    }
  }
  throw new Error(failures.join('\n'))
}

// addresses are where the archive may be: at the mirror that was named, else at
// this server, else at github.com, where an action that GitHub Connect brought to
// another server has its releases. What may hold a secret is never repeated.
function addresses(name) {
  const { BLUEGREEN_ACTION_RELEASES: mirror, GITHUB_SERVER_URL: server, GITHUB_ACTION_REPOSITORY: repository } = env
  const github = 'https://github.com'
  const folders = mirror ? [mirror] : [...new Set([server || github, github])].map((from) => `${from}/${repository || 'bluegreen-dev/kubectl-bluegreen'}/releases/download`)
  return folders.map((folder) => {
    const url = URL.canParse(folder) && new URL(folder)
    if (!['http:', 'https:'].includes(url.protocol) || url.username || url.password) {
      throw new Error(`${mirror ? 'BLUEGREEN_ACTION_RELEASES' : 'GITHUB_SERVER_URL'}: expected an address that begins with http:// or https:// and has no user and no password in it; what it says is not repeated here`)
    }
    url.pathname = `${url.pathname.replace(/\/+$/, '')}/${pinned.version}/${name}`
    return url
  })
}

// move puts the engine where others find it, in place of whatever else is there. Windows
// lets nobody replace a program that runs: another job was faster then, and its engine is
// as good.
function move(from, to, sum) {
  try {
    if (lstat(to)?.isFile() === false) fs.rmSync(to, { recursive: true, force: true })
    fs.renameSync(from, to)
  } catch (error) {
    if (!isPinned(to, sum)) throw error
  }
}

// unpack takes one file out of an archive. The tar of Windows reads zip too; one
// that stands before it on PATH may not.
function unpack(archive, folder, name) {
  const tar = windows ? path.join(env.SystemRoot ?? 'C:\\Windows', 'System32', 'tar.exe') : 'tar'
  const { error, status, stderr } = spawnSync(tar, ['-xzf', archive, '-C', folder, name], { encoding: 'utf8' })
  if (error || status !== 0) throw new Error(`unpack ${path.basename(archive)} with ${tar}: ${error?.message ?? stderr.trim()}; expected tar on the runner and room in ${folder}`)
}

// download fetches a file, three times where the way to it stumbles.
async function download(url, stopped) {
  for (let attempt = 1; ; attempt++) {
    try {
      const answer = await fetch(url, { signal: AbortSignal.any([stopped, AbortSignal.timeout(300_000)]) })
      if (answer.ok) return Buffer.from(await answer.arrayBuffer())
      throw Object.assign(new Error(`HTTP status ${answer.status}`), { final: answer.status < 500 && answer.status !== 429 })
    } catch (error) {
      if (stopped.aborted || error.final || attempt === 3) throw error
      await new Promise((again) => setTimeout(again, attempt * 1000))
    }
  }
}

// run starts the engine and waits for its end. A runner tells this process
// alone that the job is cancelled, so the signal is handed on; on Windows a whole
// console hears it, and to hand it on would be to kill.
function run(file, argument, forward) {
  return new Promise((resolve, reject) => {
    const child = spawn(file, [argument], { stdio: ['ignore', 'inherit', 'inherit'] })
    forward((signal) => windows || child.kill(signal))
    child.on('error', (error) => reject(new Error(`start ${file}: ${error.message}; expected a program for ${target} that may be executed`)))
    child.on('exit', (code, signal) => resolve(code ?? 128 + os.constants.signals[signal]))
  })
}

// main leaves a mark for post, which has nothing to finish where no engine ran.
module.exports = async function start(argument) {
  if (argument === 'post' && !env.STATE_engine) return
  const stop = new AbortController()
  let hear = (signal) => stop.abort(new Error(`stopped by ${signal} before the engine was started; nothing was done`))
  // Windows has SIGBREAK where others have SIGTERM.
  for (const signal of windows ? ['SIGINT', 'SIGBREAK'] : ['SIGINT', 'SIGTERM']) process.on(signal, () => hear(signal))
  try {
    const file = await engine(stop.signal)
    stop.signal.throwIfAborted()
    if (argument === 'main' && env.GITHUB_STATE) fs.appendFileSync(env.GITHUB_STATE, 'engine=started\n')
    process.exitCode = await run(file, argument, (to) => { hear = to })
  } catch (error) {
    const told = error.message.replace(/%/g, '%25').replace(/\r/g, '%0D').replace(/\n/g, '%0A')
    process.stdout.write(`::error title=kubectl bluegreen::${told}\n`)
    process.exitCode = 1
  }
}
