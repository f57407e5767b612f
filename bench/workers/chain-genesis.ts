import { keypairFromUri } from '../../shared/src/keys.ts'

const ALICE = keypairFromUri('//Alice').address
const OWNER_HOTKEY = keypairFromUri('//Alice//default').address

/**
 * Twelve seconds: Chopsticks asks for the slot without any state, and this is what the runtime answers then. Subnet 1 is that of
 * the preset, with room for 256 registrations in a block and for rows in any block.
 */
export const GENESIS_PATCH = {
  blockTime: { slotDurationMs: 12_000 },
  subtensorModule: {
    subnets: [
      {
        netuid: 1,
        ownerColdkey: ALICE,
        ownerHotkey: OWNER_HOTKEY,
        tempo: 10,
        emissionEnabled: true,
        commitRevealEnabled: false,
        weightsSetRateLimit: 0,
        maxRegistrationsPerBlock: 256,
        burn: 500_000,
        maxBurn: 1_000_000,
        maxAllowedUids: 256,
        maxAllowedValidators: 64,
        activityCutoffFactorMilli: 20_000,
      },
    ],
  },
}
