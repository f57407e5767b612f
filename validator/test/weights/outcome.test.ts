import { readRuntime } from '@arbor/chain/client/read-runtime'
import { asRefusal } from '@arbor/chain/client/refusals'
import type { Runtime } from '@arbor/chain/client/runtime'
import { away, refused } from '@arbor/chain/signer/errors'
import { SubnetError } from '@arbor/shared/errors'
import { describe, expect, it } from 'vitest'
import { blobMetadata } from '../../../chain/test/support/blob.ts'
import { KNOWN_REFUSALS, REFUSALS, type RefusalKind, refusalOf, signerRefusal } from '../../src/weights/outcome.ts'

/** Errors of the pallet that neither setting nor committing nor revealing weights can give; a new error has to be sorted in here or typed. */
const UNRELATED = new Set(
  `RootNetworkDoesNotExist InvalidIpType InvalidIpAddress InvalidPort NonAssociatedColdKey NotEnoughStake NotEnoughStakeToWithdraw
   NotEnoughStakeToSetChildkeys NotEnoughBalanceToStake BalanceWithdrawalError ZeroBalanceAfterWithdrawn TooManyRegistrationsThisBlock
   HotKeyAlreadyRegisteredInSubNet NewHotKeyIsSameWithOld NewHotKeyNotCleanForRootSwap InvalidWorkBlock InvalidDifficulty InvalidSeal
   HotKeyAlreadyDelegate ServingRateLimitExceeded NetworkTxRateLimitExceeded DelegateTxRateLimitExceeded HotKeySetTxRateLimitExceeded
   StakingRateLimitExceeded SubNetRegistrationDisabled TooManyRegistrationsThisInterval TransactorAccountShouldBeHotKey FaucetDisabled NotSubnetOwner
   RegistrationNotPermittedOnRootSubnet StakeTooLowForRoot AllNetworksInImmunity NotEnoughBalanceToPaySwapHotKey NotRootSubnet NoNeuronIdAvailable
   DelegateTakeTooLow DelegateTakeTooHigh LiquidAlphaDisabled AlphaHighTooLow AlphaLowOutOfRange ColdKeyAlreadyAssociated
   NotEnoughBalanceToPaySwapColdKey InvalidChild DuplicateChild ProportionOverflow TooManyChildren ColdkeySwapAnnouncementNotFound ColdkeySwapTooEarly
   ColdkeySwapReannouncedTooEarly AnnouncedColdkeyHashDoesNotMatch ColdkeySwapAlreadyDisputed NewColdKeyIsHotkey InvalidChildkeyTake
   TxChildkeyTakeRateLimitExceeded InvalidIdentity StakeUnavailable AmountTooLow InsufficientLiquidity SlippageTooHigh TransferDisallowed
   ActivityCutoffTooLow CallDisabled FirstEmissionBlockNumberAlreadySet NeedWaitingMoreBlocksToStarCall NotEnoughAlphaOutToRecycle
   CannotBurnOrRecycleOnRootSubnet UnableToRecoverPublicKey InvalidRecoveredPublicKey SubtokenDisabled HotKeySwapOnSubnetIntervalNotPassed SameNetuid
   InsufficientBalance InvalidLeaseBeneficiary LeaseCannotEndInThePast LeaseNetuidNotFound LeaseDoesNotExist LeaseHasNoEndBlock LeaseHasNotEnded Overflow
   BeneficiaryDoesNotOwnHotkey ExpectedBeneficiaryOrigin AdminActionProhibitedDuringWeightsWindow SymbolDoesNotExist SymbolAlreadyInUse
   RevealPeriodTooLarge RevealPeriodTooSmall SubnetLimitReached CannotAffordLockCost EvmKeyAssociateRateLimitExceeded SameAutoStakeHotkeyAlreadySet
   UidMapCouldNotBeCleared TrimmingWouldExceedMaxImmunePercentage ChildParentInconsistency InvalidNumRootClaim InvalidRootClaimThreshold
   InvalidSubnetNumber TooManyUIDsPerMechanism VotingPowerTrackingNotEnabled InvalidVotingPowerEmaAlpha Deprecated AddStakeBurnRateLimitExceeded
   ColdkeySwapAnnounced ColdkeySwapDisputed ColdkeySwapClearTooEarly DisabledTemporarily RegistrationPriceLimitExceeded LockHotkeyMismatch
   InsufficientStakeForLock NoExistingLock ActiveLockExists CannotUseSystemAccount UnlockAmountTooHigh TempoOutOfBounds
   ActivityCutoffFactorMilliOutOfBounds EpochTriggerAlreadyPending AutoEpochAlreadyImminent DynamicTempoBlockedByCommitReveal AccountRejectsLockedAlpha
   ChildKeysNotSupported StakeMovesNotSupported RootClaimsNotSupported HotkeySwapNotSupported ColdkeySwapNotSupported StakeLocksNotSupported
   SubnetRemovalNotSupported TooManyHotkeys TooManyStakingHotkeys StakeBurnNotSupported`.split(/\s+/),
)

const palletOf = (runtime: Runtime) => {
  const pallet = runtime.metadata.asLatest.pallets.find(({ name }) => name.eq('SubtensorModule'))
  if (pallet === undefined) throw new Error('no SubtensorModule')
  return pallet
}
const variantsOf = (runtime: Runtime, kind: 'calls' | 'errors') =>
  [...runtime.registry.lookup.getSiType(palletOf(runtime)[kind].unwrap().type).def.asVariant.variants].map(
    ({ name, docs }) => ({ name: name.toString(), docs: docs.map((line) => line.toString()).join(' ') }),
  )
const isTyped = (name: string): boolean => refusalOf(`SubtensorModule.${name}`).kind !== 'other'

describe('C-05 refusals of weights are typed', () => {
  it('for every error of the pallet that is not sorted out as unrelated', async () => {
    const runtime = readRuntime(await blobMetadata(), null)
    const names = variantsOf(runtime, 'errors').map(({ name }) => name)
    expect(names.length).toBeGreaterThan(100)
    expect(names.filter((name) => !isTyped(name) && !UNRELATED.has(name))).toEqual([])
    expect([...UNRELATED].filter((name) => isTyped(name) || !names.includes(name))).toEqual([])
    expect(Object.keys(KNOWN_REFUSALS.pallet).filter((name) => !names.includes(name))).toEqual([])
  })

  it('for every error that the calls of weights say they give', async () => {
    const calls = variantsOf(readRuntime(await blobMetadata(), null), 'calls').filter(({ name }) =>
      name.endsWith('_weights'),
    )
    const told = calls.flatMap(({ docs }) =>
      [...(/Errors[^`]*((?:`\w+`[^`E]*)+)/.exec(docs)?.[1] ?? '').matchAll(/`([A-Z]\w+)`/g)].map(
        ([, name]) => name ?? '',
      ),
    )
    expect(new Set(told).size).toBeGreaterThan(15)
    expect([...new Set(told)].filter((name) => !isTyped(name))).toEqual([])
  })

  it('for everything that the pool can say of such a call', () => {
    const rpc = (rpcCode: number, rpcData: string) =>
      asRefusal(new SubnetError({ code: 'CHAIN_RPC', message: '', details: { rpcCode, rpcData, rpcMessage: '' } }))
        ?.error
    const custom = Array.from({ length: 256 }, (_, number) => rpc(1010, `Custom error: ${number}`))
    const pool = Array.from({ length: 20 }, (_, offset) => rpc(1010 + offset, ''))
    const words = [
      ...['Inability to pay some fees', 'Transaction is outdated', 'Transaction will be valid in the future'],
      ...['Transaction has a bad signature', 'Transaction has an ancient birth block'],
      ...['Transaction would exhaust the block limits', 'A call was labelled as mandatory', 'Invalid signing address'],
      'Transaction call is not expected',
    ].map((text) => rpc(1010, text))
    const names = [...custom, ...pool, ...words, 'Pool.Dropped', 'Pool.Usurped', 'InvalidTransaction.Expired'].filter(
      (name) => name !== undefined && !/\.Custom\d+$/.test(name),
    ) as string[]
    const other = [...new Set(names)].filter((name) => refusalOf(name).kind === 'other')
    // Of serving an axon, and of a delegate's take.
    expect(other.sort()).toEqual(
      [
        'DelegateTakeTooHigh',
        'DelegateTakeTooLow',
        'InvalidIpAddress',
        'InvalidPort',
        'NonAssociatedColdKey',
        'ServingRateLimitExceeded',
      ].map((name) => `InvalidTransaction.${name}`),
    )
    expect(Object.keys(KNOWN_REFUSALS.transaction).filter((name) => !names.includes(name))).toEqual([])
  })

  it('and each says what it means and what is done about it', () => {
    const kinds = new Set(
      [...Object.values(KNOWN_REFUSALS.pallet), ...Object.values(KNOWN_REFUSALS.transaction)].concat([
        ...(['signer-away', 'signer-refused', 'too-large', 'other'] satisfies RefusalKind[]),
      ]),
    )
    expect([...kinds].sort()).toEqual(Object.keys(REFUSALS).sort())
    for (const { means, cure } of Object.values(REFUSALS)) {
      expect(means.length).toBeGreaterThan(10)
      expect(['wait', 'anew', 'operator', 'report']).toContain(cure)
    }
    expect(refusalOf('SubtensorModule.SettingWeightsTooFast')).toMatchObject({ kind: 'too-soon', cure: 'wait' })
    expect(refusalOf('Balances.InsufficientBalance')).toMatchObject({
      kind: 'other',
      error: 'Balances.InsufficientBalance',
    })
  })

  it('and so is a signer that is away or refuses; anything else it throws is no refusal', () => {
    expect(signerRefusal(away('/run/signer', 'nobody answers'))).toMatchObject({ kind: 'signer-away', cure: 'wait' })
    expect(signerRefusal(refused('netuid', 'not subnet 1'))).toMatchObject({ kind: 'signer-refused', cure: 'operator' })
    expect(signerRefusal(new Error('x'))).toBeNull()
  })
})
