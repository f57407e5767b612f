/** What of Arbor depends on the chain's interface. */
export const features = {
  connect: { title: 'connecting', forMinerAndValidator: true, advice: 'use a chain of the Substrate family' },
  metagraph: { title: 'reading the metagraph', forMinerAndValidator: true, advice: 'update Arbor' },
  hyperparameters: { title: 'reading hyperparameters', forMinerAndValidator: true, advice: 'update Arbor' },
  serve: { title: "advertising a miner's address", forMinerAndValidator: true, advice: 'update Arbor' },
  weights: { title: 'setting and reading weights', forMinerAndValidator: true, advice: 'update Arbor' },
  register: { title: 'arbor register', forMinerAndValidator: true, advice: 'register with btcli, or update Arbor' },
  stake: { title: 'arbor stake', forMinerAndValidator: true, advice: 'stake with btcli, or update Arbor' },
  transfer: { title: 'balances and transfers', forMinerAndValidator: false, advice: 'transfer with btcli' },
  salted: {
    title: 'salted commit and reveal of weights',
    forMinerAndValidator: false,
    advice: 'join subnets without commit-reveal, or update Arbor',
  },
  timelocked: {
    title: 'timelocked commits of weights',
    forMinerAndValidator: false,
    advice: 'join subnets without timelocked commit-reveal, or update Arbor',
  },
  mechanisms: {
    title: 'weights of one mechanism of a subnet',
    forMinerAndValidator: false,
    advice: 'join subnets with one mechanism',
  },
  commitments: { title: 'publishing commitments', forMinerAndValidator: false, advice: 'publish with btcli' },
  subnet: { title: 'arbor subnet create', forMinerAndValidator: false, advice: 'create the subnet with btcli' },
  settings: { title: 'arbor subnet set', forMinerAndValidator: false, advice: 'set hyperparameters with btcli' },
  local: { title: 'arbor faucet, arbor up', forMinerAndValidator: false, advice: 'they are for Arbor’s own chain' },
  beacon: { title: 'arbor chain beacon', forMinerAndValidator: false, advice: 'it is for Arbor’s own chain' },
} as const

export type Feature = keyof typeof features

/**
 * A type as it is on the wire: integers, `AccountId`, `bytes`, `Vec<…>`, `Option<…>`, `(…)`, with newtypes, bounds and
 * compactness left out, since metadata tells those. An object asks for at least these fields, behind options as well.
 */
export type Shape = string | { readonly [field: string]: Shape }
