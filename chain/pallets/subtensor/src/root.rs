//! Registering on the root network, whose neurons have no price and no epochs: only stake.

use super::*;
use frame_support::ensure;
use sp_runtime::{DispatchError, DispatchResult};

impl<T: Config> Pallet<T> {
    /// Gives a hotkey a uid on root: a free one, or that of the neuron with the least root stake.
    pub(crate) fn do_root_register(coldkey: T::AccountId, hotkey: T::AccountId) -> DispatchResult {
        let root = NetUid::ROOT;
        let in_block = RegistrationsThisBlock::<T>::get(root);
        ensure!(
            in_block < MaxRegistrationsPerBlock::<T>::get(root),
            Error::<T>::TooManyRegistrationsThisBlock
        );
        let in_interval = RegistrationsThisInterval::<T>::get(root);
        let fit = TargetRegistrationsPerInterval::<T>::get(root).saturating_mul(3);
        ensure!(in_interval < fit, Error::<T>::TooManyRegistrationsThisInterval);
        ensure!(
            !Uids::<T>::contains_key(root, &hotkey),
            Error::<T>::HotKeyAlreadyRegisteredInSubNet
        );
        Self::ensure_account(&coldkey, &hotkey)?;

        let uid = Self::root_slot(&hotkey)?;
        Self::occupy_slot(root, uid, &hotkey);
        RegistrationsThisBlock::<T>::insert(root, in_block.saturating_add(1));
        RegistrationsThisInterval::<T>::insert(root, in_interval.saturating_add(1));
        Self::deposit_event(Event::NeuronRegistered(root, uid, hotkey));
        Ok(())
    }

    /// Makes room on root. The loop runs over the neurons of root, [`defaults::ROOT_MAX_UIDS`] at most.
    fn root_slot(hotkey: &T::AccountId) -> Result<u16, DispatchError> {
        let root = NetUid::ROOT;
        let n = SubnetworkN::<T>::get(root);
        if n < MaxAllowedUids::<T>::get(root) {
            Self::append_slot(root, n);
            return Ok(n);
        }
        let stake = |hotkey: &T::AccountId| TotalHotkeyAlpha::<T>::get(hotkey, root);
        let (least, uid) = (0..n)
            .map(|uid| (stake(&Keys::<T>::get(root, uid)), uid))
            .min()
            .ok_or(Error::<T>::NoNeuronIdAvailable)?;
        ensure!(stake(hotkey) > least, Error::<T>::StakeTooLowForRoot);
        Self::clear_slot(root, uid, n);
        Ok(uid)
    }
}
