//! Saying who a coldkey is and what a subnet is, making a hotkey known, and choosing where incentive goes.

use super::*;
use frame_support::ensure;
use frame_system::{ensure_signed_or_root, pallet_prelude::OriginFor};
use sp_runtime::DispatchResult;

impl<T: Config> Pallet<T> {
    /// Stores who a coldkey is; it must have a hotkey that is registered somewhere.
    pub(crate) fn do_set_identity(coldkey: T::AccountId, identity: ChainIdentityV2) -> DispatchResult {
        // At most MAX_OWNED_HOTKEYS hotkeys, one look each.
        let registered =
            |hotkey: &T::AccountId| IsNetworkMember::<T>::iter_key_prefix(hotkey).next().is_some();
        ensure!(
            OwnedHotkeys::<T>::get(&coldkey).iter().any(registered),
            Error::<T>::HotKeyNotRegisteredInNetwork
        );
        ensure!(identity.fits(), Error::<T>::InvalidIdentity);
        IdentitiesV2::<T>::insert(&coldkey, identity);
        Self::deposit_event(Event::ChainIdentitySet(coldkey));
        Ok(())
    }

    /// Stores what a subnet is, for its owner.
    pub(crate) fn do_set_subnet_identity(
        coldkey: T::AccountId,
        netuid: NetUid,
        identity: SubnetIdentityV3,
    ) -> DispatchResult {
        Self::ensure_subnet_owner(&coldkey, netuid)?;
        ensure!(identity.fits(), Error::<T>::InvalidIdentity);
        SubnetIdentitiesV3::<T>::insert(netuid, identity);
        Self::deposit_event(Event::SubnetIdentitySet(netuid));
        Ok(())
    }

    /// Gives a subnet's token another sign; every subnet has its own.
    ///
    /// The loop runs over the subnets, which `SubnetLimit` bounds.
    pub(crate) fn do_update_symbol(origin: OriginFor<T>, netuid: NetUid, symbol: Vec<u8>) -> DispatchResult {
        if let Some(signer) = ensure_signed_or_root(origin)? {
            Self::ensure_rules_owner(&signer, netuid)?;
        }
        Self::ensure_subnet(netuid)?;
        let sound = !symbol.is_empty()
            && symbol.len() <= defaults::MAX_SYMBOL_BYTES
            && core::str::from_utf8(&symbol).is_ok();
        ensure!(sound, Error::<T>::SymbolDoesNotExist);
        let others = Self::pool_subnets().into_iter().chain([NetUid::ROOT]);
        let taken = others
            .filter(|other| *other != netuid)
            .any(|other| TokenSymbol::<T>::try_get(other).is_ok_and(|used| used == symbol));
        ensure!(!taken, Error::<T>::SymbolAlreadyInUse);
        TokenSymbol::<T>::insert(netuid, &symbol);
        Self::deposit_event(Event::SymbolUpdated { netuid, symbol });
        Ok(())
    }

    /// Chooses where a coldkey's incentive on a subnet is staked.
    pub(crate) fn do_set_auto_stake(
        coldkey: T::AccountId,
        netuid: NetUid,
        hotkey: T::AccountId,
    ) -> DispatchResult {
        Self::ensure_subnet(netuid)?;
        ensure!(
            Owner::<T>::contains_key(&hotkey),
            Error::<T>::HotKeyAccountNotExists
        );
        ensure!(
            AutoStakeDestination::<T>::get(&coldkey, netuid).as_ref() != Some(&hotkey),
            Error::<T>::SameAutoStakeHotkeyAlreadySet
        );
        AutoStakeDestination::<T>::insert(&coldkey, netuid, &hotkey);
        Self::deposit_event(Event::AutoStakeDestinationSet {
            coldkey,
            netuid,
            hotkey,
        });
        Ok(())
    }

    /// Makes a hotkey known as a coldkey's own, unless it is known already.
    pub(crate) fn do_try_associate_hotkey(coldkey: T::AccountId, hotkey: T::AccountId) -> DispatchResult {
        if Owner::<T>::contains_key(&hotkey) {
            return Ok(());
        }
        Self::ensure_account(&coldkey, &hotkey)
    }
}
