//! Making subnets and starting them.

use super::*;
use arbor_math::{schedule, wide::mul_div};
use defaults::new_subnet;
use frame_support::ensure;
use sp_runtime::DispatchResult;

/// One in 32 fractional bits.
const ONE_Q32: u64 = 1 << 32;

impl<T: Config> Pallet<T> {
    /// Makes a subnet for the current price, which becomes the TAO of its pool.
    pub(crate) fn do_register_network(
        coldkey: T::AccountId,
        hotkey: T::AccountId,
        identity: Option<SubnetIdentityV3>,
    ) -> DispatchResult {
        let now = Self::current_block();
        Self::ensure_network_rate()?;
        if let Some(identity) = &identity {
            ensure!(identity.fits(), Error::<T>::InvalidIdentity);
        }
        let cost = Self::network_lock_cost();
        ensure!(
            Self::spendable(&coldkey) >= cost,
            Error::<T>::CannotAffordLockCost
        );
        let netuid = Self::free_netuid().ok_or(Error::<T>::SubnetLimitReached)?;
        Self::ensure_account(&coldkey, &hotkey)?;

        let alpha = alpha_for(cost, Self::median_price_q32());
        Self::withdraw(&coldkey, cost, Error::<T>::CannotAffordLockCost)?;
        Self::init_subnet(netuid, &coldkey, &hotkey, now);
        Self::fill_pool(netuid, cost, alpha);
        Self::register_neuron(netuid, &hotkey)?;
        SubnetLocked::<T>::insert(netuid, cost);
        NetworkLastLockCost::<T>::put(cost);
        LastRateLimitedBlock::<T>::insert(RateLimitKey::NetworkLastRegistered, now);
        Self::deposit_event(Event::NetworkAdded(netuid, SubnetMechanism::<T>::get(netuid)));
        if let Some(identity) = identity {
            SubnetIdentitiesV3::<T>::insert(netuid, identity);
            Self::deposit_event(Event::SubnetIdentitySet(netuid));
        }
        Ok(())
    }

    /// Refuses a subnet that comes less than the rate limit after the last one.
    pub(crate) fn ensure_network_rate() -> Result<(), Error<T>> {
        let last = LastRateLimitedBlock::<T>::get(RateLimitKey::NetworkLastRegistered);
        let age = Self::current_block().saturating_sub(last);
        ensure!(
            last == 0 || age >= NetworkRateLimit::<T>::get(),
            Error::<T>::NetworkTxRateLimitExceeded
        );
        Ok(())
    }

    /// Starts a subnet: stake may be added, and emission begins with the next block.
    pub(crate) fn do_start_call(coldkey: T::AccountId, netuid: NetUid) -> DispatchResult {
        Self::ensure_subnet(netuid)?;
        ensure!(
            SubnetOwner::<T>::get(netuid) == coldkey,
            Error::<T>::NotSubnetOwner
        );
        let started = FirstEmissionBlockNumber::<T>::contains_key(netuid);
        ensure!(!started, Error::<T>::FirstEmissionBlockNumberAlreadySet);
        let now = Self::current_block();
        let age = now.saturating_sub(NetworkRegisteredAt::<T>::get(netuid));
        ensure!(
            age >= StartCallDelay::<T>::get(),
            Error::<T>::NeedWaitingMoreBlocksToStarCall
        );
        let first = now.saturating_add(1);
        Self::start_subnet(netuid, first);
        Self::deposit_event(Event::FirstEmissionBlockNumberSet(netuid, first));
        Ok(())
    }

    /// Opens a subnet for stake, and for emission from a block on.
    pub(crate) fn start_subnet(netuid: NetUid, first_emission_block: u64) {
        FirstEmissionBlockNumber::<T>::insert(netuid, first_emission_block);
        SubtokenEnabled::<T>::insert(netuid, true);
    }

    /// Refuses a subnet that does not exist.
    pub(crate) fn ensure_subnet(netuid: NetUid) -> DispatchResult {
        ensure!(NetworksAdded::<T>::get(netuid), Error::<T>::SubnetNotExists);
        Ok(())
    }

    /// Returns the present price of a subnet in rao: twice the last one, falling by the last one per interval.
    pub fn network_lock_cost() -> u64 {
        let last_cost = NetworkLastLockCost::<T>::get();
        let last_block = LastRateLimitedBlock::<T>::get(RateLimitKey::NetworkLastRegistered);
        let factor = if last_block == 0 { 1 } else { 2 };
        let waited = Self::current_block().saturating_sub(last_block);
        let fall = last_cost
            .checked_div(NetworkLockReductionInterval::<T>::get())
            .unwrap_or(0)
            .saturating_mul(waited);
        last_cost
            .saturating_mul(factor)
            .saturating_sub(fall)
            .max(NetworkMinLockCost::<T>::get())
    }

    /// Finds the lowest netuid that is free, within the limit.
    fn free_netuid() -> Option<NetUid> {
        let count = TotalNetworks::<T>::get().saturating_sub(1); // root is not counted
        if count >= SubnetLimit::<T>::get() {
            return None;
        }
        (1..NetUidStorageIndex::STRIDE)
            .map(NetUid)
            .find(|netuid| !NetworksAdded::<T>::get(netuid))
    }

    /// Returns the middle of all pools' prices, 32 fractional bits; 1 if there is none.
    fn median_price_q32() -> u64 {
        let mut prices: Vec<u64> = NetworksAdded::<T>::iter_keys()
            .filter(|netuid| !netuid.is_root())
            .map(Self::alpha_price_q32)
            .filter(|price| *price > 0)
            .collect();
        prices.sort_unstable();
        prices.get(prices.len() / 2).copied().unwrap_or(ONE_Q32)
    }

    /// Writes what a new subnet starts with. Its TAO emission waits for root to enable it.
    pub(crate) fn init_subnet(netuid: NetUid, coldkey: &T::AccountId, hotkey: &T::AccountId, now: u64) {
        NetworksAdded::<T>::insert(netuid, true);
        TotalNetworks::<T>::mutate(|count| *count = count.saturating_add(1));
        RegisteredSubnetCounter::<T>::mutate(netuid, |count| *count = count.saturating_add(1));
        NetworkRegisteredAt::<T>::insert(netuid, now);
        SubnetMechanism::<T>::insert(netuid, 1);
        SubnetOwner::<T>::insert(netuid, coldkey);
        SubnetOwnerHotkey::<T>::insert(netuid, hotkey);
        SubnetEmissionEnabled::<T>::insert(netuid, false);
        let tempo = Tempo::<T>::get(netuid);
        Tempo::<T>::insert(netuid, tempo);
        LastEpochBlock::<T>::insert(netuid, schedule::staggered_start(netuid.0, tempo, now));
        Burn::<T>::insert(netuid, new_subnet::BURN);
        ImmunityPeriod::<T>::insert(netuid, new_subnet::IMMUNITY_PERIOD);
        MaxAllowedValidators::<T>::insert(netuid, new_subnet::MAX_ALLOWED_VALIDATORS);
        MinAllowedWeights::<T>::insert(netuid, new_subnet::MIN_ALLOWED_WEIGHTS);
        Yuma3On::<T>::insert(netuid, true);
    }

    /// Fills a new pool. The rao must have been taken from a balance or minted.
    pub(crate) fn fill_pool(netuid: NetUid, rao: u64, alpha: u64) {
        SubnetTAO::<T>::insert(netuid, rao);
        SubnetAlphaIn::<T>::insert(netuid, alpha);
        TotalStake::<T>::mutate(|total| *total = total.saturating_add(rao));
    }
}

/// Computes the alpha that is worth an amount of rao at a price with 32 fractional bits; at least 1.
fn alpha_for(rao: u64, price_q32: u64) -> u64 {
    mul_div(rao, ONE_Q32, price_q32).max(1)
}
