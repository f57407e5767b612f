// Makes docs/benchmarks.md from bench/results/*.json: node bench/report.ts. An arm without a result says "not measured".
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { median } from '../shared/src/math.ts'

/** One table of a benchmark run: what was measured, in which unit, each arm's runs. */
export interface Result {
  readonly benchmark: string
  readonly machine: string
  readonly date: string
  readonly rows: readonly {
    readonly what: string
    readonly unit: string
    readonly runs: Readonly<Record<string, readonly number[]>>
  }[]
  /** What happened in this run besides the figures, one sentence each. */
  readonly notes?: readonly string[]
}

/** A table whose cells are written already: shares with their intervals. */
export interface Shares extends Omit<Result, 'rows'> {
  readonly head: readonly string[]
  readonly cells: readonly (readonly string[])[]
}

const folder = fileURLToPath(new URL('./results/', import.meta.url))
const target = fileURLToPath(new URL('../docs/benchmarks.md', import.meta.url))

/** Every table, its arms in order, and what it says to somebody who reads it. */
export const tables = [
  {
    file: 'install',
    title: 'Install and first weights',
    arms: ['Arbor'],
    note: 'A fresh clone with an empty HOME; `npm ci`, then `npm start` until a reader of its own sees weights on the chain.',
  },
  {
    file: 'chain',
    title: 'The embedded chain beside Chopsticks 1.5.1',
    arms: ['Arbor', 'Chopsticks'],
    note: 'The same blob, genesis and calls, each run in a process of its own, arms alternating. CPU time of the whole process. Arbor starts from blob and preset and executes every block a second time as a check; Chopsticks starts from a ready chain spec, makes block 1 while it starts, and does not check its blocks. Neither arm validates for a pool first. The machine had other work at times: compare CPU times.',
  },
  {
    file: 'history',
    title: 'A long history',
    arms: ['Arbor', 'Chopsticks'],
    note: 'Empty blocks into a database file, one process an arm, then new processes that open it; the garbage is collected before memory is read. Arbor keeps the states of the newest 256 blocks, which is its default. Goal: cost, memory and database do not grow with the height.',
  },
  {
    file: 'keys',
    title: 'Blocks over states of different sizes',
    arms: ['Arbor'],
    note: 'Accounts written through the chain’s own calls, 300 blocks to settle, then 200 empty blocks and 20 with transfers to accounts that lie far apart. Goal: the cost of a block does not grow with the state.',
  },
  {
    file: 'epoch',
    title: 'An epoch in the runtime',
    arms: ['Arbor', 'Chopsticks'],
    note: '`YumaRuntimeApi_run_epoch` of the same blob, with decoding and encoding of weights and bonds. Goal: 10 CPU ms for 256 uids with 64 validators. The first call of a process pays for V8’s compilation.',
  },
  {
    file: 'signatures',
    title: 'A burst of 500 transfers',
    arms: ['own thread', 'main thread'],
    note: 'What the pool asks before it takes an extrinsic: the runtime’s answer and the signature. The chain checks signatures in a thread of their own; the other arm checks them where clients are answered.',
  },
  {
    file: 'reveal',
    title: 'Commit-reveal in the runtime',
    arms: ['the runtime', 'the client'],
    note: 'Pulses of a local beacon, and full rows of weights sealed for one of them: what a block pays for them, executed twice as always, and the same in the client, which is JavaScript.',
  },
  {
    file: 'sdk-connect',
    title: 'Connecting with Bittensor’s own SDK',
    arms: ['Arbor', 'full metadata'],
    note: 'bittensor 10.5.0, a new process each time, `bittensor.Subtensor(network)` until it is ready; beside it the same SDK against the metadata of Bittensor’s own chain (spec 343).',
  },
  {
    file: 'wire',
    title: 'A question and its answer',
    arms: ['bare HTTP', 'sessions', 'sessions, sealed', 'Bittensor 10.x by Arbor', 'bittensor 10.5.0'],
    note: 'Echo of a text, asker and server together, each a process of its own, every arm in each sitting. Arbor’s arms are the miner’s server without an engine and the validator’s dendrite with its thread; bare HTTP is node:http and undici with JSON and nothing else; bittensor 10.5.0 is its own axon and dendrite in Python. Endpoints are addresses of one server. Goals for sessions: 20 × less than Python at 1 KB, and within 2.5 × of bare HTTP. Signing an answer and verifying it is 0.17 ms of it, whatever its size. Cells without failures have no row for them.',
  },
  {
    file: 'wire-memory',
    title: 'Resident memory over a million questions',
    arms: ['miner', 'validator'],
    note: 'Sealed questions of 1 KB, 64 at once, over 16 endpoints, between one miner’s server and one validator’s dendrite. Goal: flat.',
  },
  {
    file: 'relay',
    title: 'A relay',
    arms: ['relay', 'bare proxy'],
    note: 'What the process in the middle spends on a sealed question and an answer of the same size, 16 at once; beside it a proxy of node:http alone that pipes both ways. Asker and miner are not counted.',
  },
  {
    file: 'inference',
    title: 'Inference beside other engines',
    arms: ['Arbor', 'bare ONNX', 'torch', 'llama.cpp'],
    note: 'The same weights, greedy answers of 32 tokens to different prompts of one length that come at once, one thread, each run of each arm in a process of its own, arms alternating. Arbor is the engine as a miner runs it, with the proof of every answer; bare ONNX is a loop around onnxruntime with nothing else, which neither asks for hidden states nor proves anything; torch is a decoder with scaled_dot_product_attention; llama.cpp is node-llama-cpp’s prebuilt CPU binary, one sequence an answer, on the same numbers in F32, and on Q8_0 beside our 8-bit blocks. Tokens a CPU second count prompts too. Goals: 95 % of bare ONNX, ahead of llama.cpp, batch 16 at 4 × batch 1.',
  },
  {
    file: 'verification',
    title: 'What checking costs',
    arms: ['Arbor'],
    note: 'CPU time of a check beside that of generating the answer, one thread, temperature 0.8. A check of some chunks runs the prompt and the answer up to the last of them; it is drawn several times. Audits is what looking at users’ answers costs for each served answer, with the share and the chunks that `solveAudit` finds. Goals: 0.03 a served token at a detection of 0.99 an epoch; 4 bytes of proof a token. CUDA and WebGPU on a real GPU: untested.',
  },
  {
    file: 'detection',
    title: 'What a check refuses',
    arms: [],
    note: 'Answers of 32 tokens, one chunk, to questions that no calibration used, checked whole by the limits that each model’s card ships: honest ones in every way that a miner may run, and those of every cheat of `engine/src/attacks` at temperature 0.8. Refused, of how many, with the 95 % interval of Clopper and Pearson; the last column is how many answers of a cheat have to be looked at until one shows with 99 %, at the low end of the worst model’s interval. An answer that came out as the honest one is not counted. An honest answer that was bought and resold is the same work, and is not caught.',
  },
  {
    file: 'detection-toploc',
    title: 'The fingerprint beside the package toploc 0.1.6',
    arms: [],
    note: 'The same cheats, with proofs in TOPLOC’s format. The package verifies them against the validator’s own activations; it brings no limits, so its results are judged by those of our cards for this format. It looks at activations alone: what draws other tokens from the right activations passes it by design.',
  },
  {
    file: 'audit',
    title: 'Auditing a row',
    arms: ['Arbor'],
    note: 'A validator of a local net (three honest miners and a cheat, two rounds in ten blocks of a second) with all its processes, between two epochs, beside the audits of those epochs from what it serves over HTTP and from the chain; then logs of many miners from memory, beside the checks of one epoch by arbor-2m alone: the smallest model, and nothing else that a validator does. Goal: 1/50. The machine had other work: compare CPU times.',
  },
  {
    file: 'receipts',
    title: 'The log of receipts',
    arms: ['Arbor'],
    note: 'Rounds of 256 miners as entries of the log, in a file, one flushed transaction a round, with a state and a row of weights every second round. A verdict counts with its score and its part of everything else; bodies are files beside the ledger. The machine had other work: compare CPU times.',
  },
  {
    file: 'state',
    title: 'A validator’s ledger of 100 MB',
    arms: ['Arbor'],
    note: 'Verdicts of 256 miners with everything that the log says of them. CPU time of all threads, in one process that has its code compiled.',
  },
  {
    file: 'chaos',
    title: 'Validators through kills and faults',
    arms: ['Arbor'],
    note: 'The chaos suite (docs/chaos.md): real validators, killed at every write that moves a machine, while link, chain, disk, clock, hotkey and miners fail. Owed are the epochs in which the rules allowed weights and the validator was undisturbed for five blocks. Goals: every one of them, and nothing called set that is not.',
  },
  {
    file: 'endurance',
    title: 'A validator over many epochs',
    arms: ['Arbor'],
    note: 'One validator of the product’s own parts on a real chain, simulated miners, three blocks and one round an epoch, nothing that goes wrong. Goal: memory, sockets and descriptors stay flat. The ledger keeps the bodies of 50 epochs here, and the hashes of all.',
  },
  { file: 'engine', title: 'Workers', arms: ['Arbor'], note: 'arbor-2m, fp32, one thread each.' },
  {
    file: 'rounds',
    title: 'A round of a whole subnet',
    arms: ['256 miners', '4096 miners'],
    note: 'A validator asks simulated miners over sealed sessions, 64 at once, each at an address of its own, in two processes on the same two cores; answers of 1.3 KB, their ledger and receipts in files, judged by a task that costs nothing in the contained process, so that everything but the model is counted. Wall and CPU time are the validator’s, with its threads and its contained process; CPU of the miners is not counted, and takes its share of the wall time. The ledger is what two rounds leave. Goal: what a miner costs does not grow with their number.',
  },
  {
    file: 'reconnects',
    title: 'A client that connects a thousand times',
    arms: ['client'],
    note: 'One client in a process of its own follows final heads of a chain in another process over two addresses; the one in use is cut as soon as a metagraph was read over it. Then the same client while the chain replaces its code, whose metadata is Bittensor’s of spec version 424; the codecs of four versions are kept. Memory after a collection of garbage. Goal: flat.',
  },
  {
    file: 'metagraph',
    title: 'A metagraph at every block',
    arms: ['first read', 'each later block'],
    note: 'The whole subnet is read at each block, over a socket from another process that has every item in memory; keys that were hashed and values that were decoded before are taken again where the bytes are the same. A block changes eight stakes and one registration. The machine had other work: compare CPU times.',
  },
  {
    file: 'finetune',
    title: 'Training by many: loss against bytes',
    arms: ['DDP', 'DDP cosine', 'DiLoCo H 5', 'DiLoCo H 10', 'DiLoCo H 50', 'SparseLoCo', 'DeMo', 'default'],
    note: 'Four workers train one model in one process by the parts that miners and validators run: step graphs, AdamW, updates as files, the merge; equal tokens and the same windows in the same order for every arm. DDP exchanges every gradient in fp32 (bytes that a worker sends, once), at a constant rate and at one that a cosine brings down to a tenth, which a run without an end cannot have. SparseLoCo is 64 of 4 096 every ten steps; DeMo sends a gradient of four passes; default is the spec’s. The loss is that on all of `arbor-text`’s held-out text. Goals: within 1 % of DDP at 500 × fewer bytes, then at 1 000 ×.',
  },
  {
    file: 'finetune-merge',
    title: 'What exchanging progress costs',
    arms: ['diloco', 'sparseloco', 'demo'],
    note: 'A round of ten local steps, trained once on each model, encoded with what the round before left over, each run in a process of its own, arms alternating. `sparseloco` and `demo` keep 64 of 4 096 in 2 bits; the largest share of an entry’s bits says where it stands, for which 7.4 are the least where all places are as likely. Encoding is a miner’s, once a round; decoding a validator’s, once an update; merging everybody’s. The machine had other work: compare CPU times.',
  },
  {
    file: 'finetune-separation',
    title: 'Training by many: what a cheat earns',
    arms: [],
    note: 'Each attack of `arbor miner --cheat` in a subnet with four honest miners, on the built-in subnet’s model, data and terms: real steps, updates as files, replays, measurements, ratings and rows by the code that miners and validators run, in one process; what blocks draw is drawn from fixed hashes. “fresh” is an honest miner that forgets its moments before each round, as one that always joins anew; “half-work, stretched” sends twice the length, as who has read how lengths are treated. `stale` and `restamped` work in every second round, since they need something to send again. Copies are of an honest miner’s update of the same round. The model goes on with the honest updates alone, and controls are drawn from these. Goals: no more than 1 % of an honest miner’s share, and less than half of it for half of the work.',
  },
  {
    file: 'finetune-tolerance',
    title: 'Training by many: how far a replay ends',
    arms: [],
    note: 'Stretches of two steps of the built-in subnet, trained again; distance as a share of the way. The Gauntlet allows 0.25. Noise is drawn evenly for each element of each gradient, which is worse than rounding: a processor’s own errors are smaller where gradients are. A stretch that was not trained is infinitely far, one that was trained on other data about as far as it is long.',
  },
  {
    file: 'finetune-churn',
    title: 'Training by many: coming and going',
    arms: ['calm', 'churn'],
    note: 'Ten miners of the built-in subnet, each with the loop of `arbor miner` on a folder of its own, the real trainer, data, optimiser, plan and merge, in one process without a chain, one process a seed. In “churn” three are killed in each round, before a step that is drawn; of these half are started again at once and go on from their saved states, the others are gone, and as many strangers join for the next round with the newest whole checkpoint and the updates since. A stranger that does not commit in its first round was itself killed in it. Who is started again comes to the bytes that it would have come to; what the churn costs is the updates that are missing, and strangers, who begin with zero moments. Goal: no round is lost.',
  },
  {
    file: 'training-step',
    title: 'A training step beside torch',
    arms: ['Arbor', 'torch'],
    note: 'The same decoder, tokens and AdamW with clipping, one thread, fp32, each run of each arm in a process of its own, arms alternating; a figure is the median of a run’s steps. Arbor is the step graph under onnxruntime with AdamW in TypeScript; torch is autograd, run eagerly, with its own AdamW. “The graph alone” is fed with the same tensors again and again: what it lacks to the row above is handing over tokens and parameters. By the runtime’s profile matrix products are 82 % of the graph on arbor-2m with 8 × 128 tokens, 67 % on arbor-tiny with 4 × 64. Goal: 1.2 × torch’s time. The machine had other work: compare CPU times.',
  },
  {
    file: 'finetune-validator',
    title: 'Training by many: what a validator does for an update',
    arms: ['arbor'],
    note: 'Reading an update, measuring it on the miner’s own windows (before, after, and with three others in its place) and on unseen ones, comparing it with all others; and the same with one of its stretches, or its compression, done again, whose states are hashed as they come. All in one process by the code that validators run, files out of memory; the first round warms up. The machine had other work: compare processor times.',
  },
  {
    file: 'memory',
    title: 'Resident memory after ten minutes of `npm start`',
    arms: ['Arbor'],
    note: 'Each process, and the child processes that hold the models.',
  },
] as const

/** Writes a number with three significant digits. */
const short = (value: number): string =>
  Math.abs(value) >= 1000 ? Math.round(value).toString() : Number(value.toPrecision(3)).toString()

/** Writes the median of the runs with their spread. */
export function cell(runs: readonly number[] | undefined): string {
  if (runs === undefined || runs.length === 0) return 'not measured'
  const sorted = [...runs].sort((a, b) => a - b)
  const middle = median(sorted)
  const [low = middle, high = middle] = [sorted[0], sorted.at(-1)]
  return sorted.length === 1 ? short(middle) : `${short(middle)} (${short(low)}–${short(high)}, ${sorted.length} runs)`
}

/** Draws one benchmark as Markdown. */
export function section(table: (typeof tables)[number], result: Result | Shares | null): string {
  const head = `## ${table.title}\n\n${table.note}\n`
  if (result === null) return `${head}\nnot measured\n`
  return [head, ...('cells' in result ? sharesOf(result) : runsOf(table, result)), '', ...endOf(result)].join('\n')
}

const runsOf = (table: (typeof tables)[number], result: Result): readonly string[] => {
  const arms: readonly string[] = table.arms
  const rows = result.rows.map(
    ({ what, unit, runs }) => `| ${what} | ${unit} | ${arms.map((arm) => cell(runs[arm])).join(' | ')} |`,
  )
  return [`| | unit | ${arms.join(' | ')} |`, `|---|---|${arms.map(() => '---|').join('')}`, ...rows]
}

const sharesOf = ({ head, cells }: Shares): readonly string[] => [
  `| ${head.join(' | ')} |`,
  `|${head.map(() => '---|').join('')}`,
  ...cells.map((row) => `| ${row.join(' | ')} |`),
]

const endOf = ({ notes = [], machine, date }: Omit<Result, 'rows'>): readonly string[] => [
  ...notes.flatMap((note) => [note, '']),
  `${machine}, ${date}.`,
  '',
]

const load = (file: string): Result | Shares | null =>
  existsSync(`${folder}${file}.json`)
    ? (JSON.parse(readFileSync(`${folder}${file}.json`, 'utf8')) as Result | Shares)
    : null

/** Draws the whole page. */
export const page = (): string =>
  [
    '# Benchmarks',
    '',
    'Made by `node bench/report.ts` from `bench/results`; do not edit. Medians, with the lowest and highest run. Goals that were missed stay in.',
    '',
    ...tables.map((table) => section(table, load(table.file))),
  ].join('\n')

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(target, page())
