//! What a chain starts with.

use super::*;
use serde::{Deserialize, Serialize};

/// TAO in a genesis pool unless it says otherwise: 10 000 TAO in rao, so that staking 100 TAO moves the price 2 %.
const POOL_TAO: u64 = 10_000_000_000_000;
/// Alpha in a genesis pool unless it says otherwise: 10 000, so that the first price is 1 TAO.
const POOL_ALPHA: u64 = 10_000_000_000_000;

/// One subnet of the genesis; what is left out keeps the value that `register_network` gives.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[serde(bound(
    serialize = "AccountId: Serialize",
    deserialize = "AccountId: Deserialize<'de>"
))]
pub struct GenesisSubnet<AccountId> {
    /// Number of the subnet, 1 or more.
    pub netuid: NetUid,
    /// Coldkey that owns the subnet. Incentive of all its hotkeys is burned: give miners another coldkey.
    pub owner_coldkey: AccountId,
    /// Hotkey that stands for the owner; it becomes uid 0.
    pub owner_hotkey: AccountId,
    /// Blocks between two epochs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tempo: Option<u16>,
    /// TAO in the pool, in rao; 10 000 TAO.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pool_tao: Option<u64>,
    /// Alpha in the pool; 10 000 alpha.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pool_alpha: Option<u64>,
    /// Whether stake may be added and alpha is emitted from block 1 on; true.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started: Option<bool>,
    /// Whether the subnet gets a share of the TAO emission; false.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub emission_enabled: Option<bool>,
    /// Whether neurons may register.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registration_allowed: Option<bool>,
    /// Whether weights must be committed before they are revealed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit_reveal_enabled: Option<bool>,
    /// Blocks between two weight rows of a neuron.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weights_set_rate_limit: Option<u64>,
    /// Least version key of a weight row.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weights_version_key: Option<u64>,
    /// Blocks in which a new neuron cannot be replaced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub immunity_period: Option<u16>,
    /// Registrations that fit into a block.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_registrations_per_block: Option<u16>,
    /// Price of the first registration, in rao.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub burn: Option<u64>,
    /// Lowest price of a registration, in rao.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_burn: Option<u64>,
    /// Highest price of a registration, in rao.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_burn: Option<u64>,
    /// Blocks between two serves of a neuron.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serving_rate_limit: Option<u64>,
    /// Least number of weights in a row.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_allowed_weights: Option<u16>,
    /// Highest number of neurons.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_allowed_uids: Option<u16>,
    /// Number of validator permits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_allowed_validators: Option<u16>,
    /// Tempos without weights after which a validator is inactive, in thousandths.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub activity_cutoff_factor_milli: Option<u32>,
    /// Whether bonds follow Yuma 3; true.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub yuma3: Option<bool>,
}

impl<T: Config> Pallet<T> {
    /// Makes the root network, which has no epochs and takes stake one to one.
    pub(crate) fn genesis_root() {
        let root = NetUid::ROOT;
        NetworksAdded::<T>::insert(root, true);
        TotalNetworks::<T>::put(1);
        SubtokenEnabled::<T>::insert(root, true);
        NetworkRegistrationAllowed::<T>::insert(root, false);
        Tempo::<T>::insert(root, 0);
        MaxAllowedUids::<T>::insert(root, defaults::ROOT_MAX_UIDS);
        MaxAllowedValidators::<T>::insert(root, defaults::ROOT_MAX_UIDS);
        TargetRegistrationsPerInterval::<T>::insert(root, defaults::ROOT_TARGET_REGISTRATIONS);
        TotalIssuance::<T>::put(Self::balances_issuance());
    }

    /// Makes one subnet, mints its pool, and registers the owner's hotkey.
    pub(crate) fn genesis_subnet(subnet: &GenesisSubnet<T::AccountId>) {
        let (netuid, owner) = (subnet.netuid, &subnet.owner_coldkey);
        assert!(
            !netuid.is_root(),
            "genesis subnet 0: the root network is made by itself; number subnets from 1"
        );
        assert!(
            !NetworksAdded::<T>::get(netuid),
            "genesis subnet {netuid} occurs twice; give each its own netuid"
        );
        Self::ensure_account(owner, &subnet.owner_hotkey).expect(
            "genesis: an owner's hotkey belongs to another coldkey; give each coldkey its own hotkeys",
        );
        if let Some(tempo) = subnet.tempo {
            Tempo::<T>::insert(netuid, tempo);
        }
        Self::init_subnet(netuid, owner, &subnet.owner_hotkey, 0);
        Self::genesis_hyperparameters(subnet);
        let tao = subnet.pool_tao.unwrap_or(POOL_TAO);
        Self::fill_pool(netuid, tao, subnet.pool_alpha.unwrap_or(POOL_ALPHA));
        TotalIssuance::<T>::mutate(|total| *total = total.saturating_add(tao));
        Self::register_neuron(netuid, &subnet.owner_hotkey).expect("genesis: a new subnet has a free uid");
        if subnet.started.unwrap_or(true) {
            Self::start_subnet(netuid, 1);
        }
    }

    /// Writes the hyperparameters that a genesis subnet names.
    fn genesis_hyperparameters(subnet: &GenesisSubnet<T::AccountId>) {
        let netuid = subnet.netuid;
        macro_rules! write {
            ($($field:ident => $storage:ident,)*) => {
                $(if let Some(value) = subnet.$field { $storage::<T>::insert(netuid, value); })*
            };
        }
        write! {
            emission_enabled => SubnetEmissionEnabled,
            registration_allowed => NetworkRegistrationAllowed,
            commit_reveal_enabled => CommitRevealWeightsEnabled,
            weights_set_rate_limit => WeightsSetRateLimit,
            weights_version_key => WeightsVersionKey,
            immunity_period => ImmunityPeriod,
            max_registrations_per_block => MaxRegistrationsPerBlock,
            burn => Burn,
            min_burn => MinBurn,
            max_burn => MaxBurn,
            serving_rate_limit => ServingRateLimit,
            min_allowed_weights => MinAllowedWeights,
            max_allowed_uids => MaxAllowedUids,
            max_allowed_validators => MaxAllowedValidators,
            activity_cutoff_factor_milli => ActivityCutoffFactorMilli,
            yuma3 => Yuma3On,
        }
    }
}
