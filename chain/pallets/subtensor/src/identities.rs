//! Saying who a coldkey is and what a subnet is, and making a hotkey known.

use super::*;
use frame_support::ensure;
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

    /// Makes a hotkey known as a coldkey's own, unless it is known already.
    pub(crate) fn do_try_associate_hotkey(coldkey: T::AccountId, hotkey: T::AccountId) -> DispatchResult {
        if Owner::<T>::contains_key(&hotkey) {
            return Ok(());
        }
        Self::ensure_account(&coldkey, &hotkey)
    }
}
