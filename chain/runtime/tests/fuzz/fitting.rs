//! Calls that should succeed: their arguments come from what the chain holds now.

use crate::{
    arguments::Seeded,
    chain::{apply_signed, set_rule, wait, Origin, Outcome},
    state,
    weighing::{signed, some_subnet, Fit, Memory, Weighing},
};
use arbor_runtime::*;
use frame_support::BoundedVec;
use pallet_commitments::{CommitmentInfo, Data};
use pallet_subtensor::{
    AutoStakeDestination, Axons, Burn, Call, ChainIdentityV2, CommitRevealWeightsEnabled, Delegates,
    FirstEmissionBlockNumber, MaxDelegateTake, MinDelegateTake, NetUid, Owner, Pallet, PendingEpochAt,
    Prometheus, SubnetIdentityV3, SubnetOwner, SubtokenEnabled, TokenSymbol, Uids,
};
use polkadot_sdk::*;

/// Least stake that may be moved, in rao.
const MIN_STAKE: u64 = pallet_subtensor::defaults::MIN_STAKE;

/// Makes calls of SubtensorModule, Commitments and Drand that fit the present state.
pub struct Fitting<'a> {
    pub random: &'a mut Seeded,
    pub memory: &'a mut Memory,
}

impl Fitting<'_> {
    /// Makes a call by its name; `None` if there is nothing that it could succeed with.
    pub fn fit(&mut self, name: &str) -> Fit {
        match name {
            "add_stake" | "add_stake_limit" => self.add_stake(name == "add_stake"),
            "remove_stake" | "remove_stake_limit" | "remove_stake_full_limit" => self.remove_stake(name),
            "unstake_all" | "unstake_all_alpha" => self.unstake_all(name == "unstake_all"),
            "serve_axon" | "serve_axon_tls" | "serve_prometheus" => self.serve(name),
            "burned_register" | "register_limit" => self.register(name == "burned_register"),
            "root_register" => {
                let (hotkey, coldkey) = self.hotkey_without_uid(NetUid::ROOT);
                signed(&coldkey, Call::root_register { hotkey })
            }
            "register_network" | "register_network_with_identity" => {
                self.register_network(name == "register_network")
            }
            "start_call" => self.start(),
            "increase_take" | "decrease_take" => self.take(name == "increase_take"),
            "set_identity" => self.identity(),
            "set_subnet_identity" | "update_symbol" | "set_tempo" | "set_activity_cutoff_factor" => {
                self.owners_choice(name)
            }
            "trigger_epoch" => self.trigger(),
            "set_coldkey_auto_stake_hotkey" => self.auto_stake(),
            "try_associate_hotkey" => {
                let hotkey = self.new_account();
                signed(&self.coldkey(), Call::try_associate_hotkey { hotkey })
            }
            "set_commitment" => self.commitment(),
            _ => Weighing {
                random: self.random,
                memory: self.memory,
            }
            .fit(name),
        }
    }

    fn new_account(&mut self) -> AccountId {
        let half = [(); 2].map(|()| self.random.below(u64::MAX));
        AccountId::new(sp_io::hashing::blake2_256(&codec::Encode::encode(&half)))
    }

    /// Picks a coldkey that has something to spend.
    fn coldkey(&mut self) -> AccountId {
        let mut all: Vec<AccountId> = state::hotkeys().into_iter().map(|(_, coldkey)| coldkey).collect();
        all.sort_unstable();
        all.dedup();
        if all
            .iter()
            .any(|coldkey| Pallet::<Runtime>::spendable(coldkey) > 20 * TAO)
        {
            all.retain(|coldkey| Pallet::<Runtime>::spendable(coldkey) > 20 * TAO);
        }
        self.random.pick(&all).clone()
    }

    fn text(&mut self, most: u64) -> Vec<u8> {
        vec![b'a'; self.random.below(most + 1) as usize]
    }

    /// Makes a price that a trade at the present one is within, or will be partly.
    fn limit(&mut self, netuid: NetUid, buying: bool) -> u64 {
        let price = (u128::from(Pallet::<Runtime>::alpha_price_q32(netuid)) * 1_000_000_000) >> 32;
        let price = u64::try_from(price).unwrap_or(u64::MAX);
        let percent = self.random.below(20);
        match (buying, self.random.below(3)) {
            (true, 0) => u64::MAX,
            (true, _) => price.saturating_add(price / 100 * percent).saturating_add(1),
            (false, 0) => 1,
            (false, _) => (price - price / 100 * percent).saturating_sub(1),
        }
    }

    fn add_stake(&mut self, plain: bool) -> Fit {
        let coldkey = self.coldkey();
        let (hotkey, _) = self.random.pick(&state::hotkeys()).clone();
        let mut open = state::subnets();
        open.push(NetUid::ROOT);
        open.retain(|netuid| SubtokenEnabled::<Runtime>::get(netuid));
        let netuid = *self.random.pick(&open);
        let spendable = Pallet::<Runtime>::spendable(&coldkey);
        let amount_staked = match self.random.below(6) {
            0 => MIN_STAKE,
            1 => spendable / 3,
            _ => (spendable / (20 + self.random.below(1_000))).max(MIN_STAKE),
        };
        if plain {
            let call = Call::add_stake {
                hotkey,
                netuid,
                amount_staked,
            };
            return signed(&coldkey, call);
        }
        let call = Call::add_stake_limit {
            hotkey,
            netuid,
            amount_staked,
            limit_price: self.limit(netuid, true),
            allow_partial: self.random.below(4) > 0,
        };
        signed(&coldkey, call)
    }

    fn remove_stake(&mut self, name: &str) -> Fit {
        let held = state::stakes();
        if held.is_empty() {
            return None;
        }
        let stake = self.random.pick(&held).clone();
        let (hotkey, netuid) = (stake.hotkey, stake.netuid);
        let part = match self.random.below(4) {
            0 => stake.alpha,
            1 => stake.alpha / 2,
            _ => stake.alpha / (5 + self.random.below(50)),
        };
        let worth = Pallet::<Runtime>::sim_swap_alpha_for_tao(netuid, part).unwrap_or(0);
        let amount_unstaked = if worth >= MIN_STAKE { part } else { stake.alpha };
        let call = match name {
            "remove_stake" => Call::remove_stake {
                hotkey,
                netuid,
                amount_unstaked,
            },
            "remove_stake_limit" => Call::remove_stake_limit {
                hotkey,
                netuid,
                amount_unstaked,
                limit_price: self.limit(netuid, false),
                allow_partial: self.random.below(4) > 0,
            },
            _ => Call::remove_stake_full_limit {
                hotkey,
                netuid,
                limit_price: (self.random.below(2) == 0).then(|| self.limit(netuid, false)),
            },
        };
        signed(&stake.coldkey, call)
    }

    fn unstake_all(&mut self, to_balance: bool) -> Fit {
        let mut held = state::stakes();
        held.retain(|stake| to_balance || !stake.netuid.is_root());
        if held.is_empty() {
            return None;
        }
        let stake = self.random.pick(&held).clone();
        let hotkey = stake.hotkey;
        if to_balance {
            signed(&stake.coldkey, Call::unstake_all { hotkey })
        } else {
            signed(&stake.coldkey, Call::unstake_all_alpha { hotkey })
        }
    }

    fn serve(&mut self, name: &str) -> Fit {
        wait(1); // the rate limit of the prepared subnets
        let mut able = state::neurons();
        able.retain(|neuron| {
            let (netuid, hotkey) = (neuron.netuid, &neuron.hotkey);
            let axon = Axons::<Runtime>::get(netuid, hotkey).map_or(0, |axon| axon.block);
            let prometheus = Prometheus::<Runtime>::get(netuid, hotkey).map_or(0, |info| info.block);
            let rate = pallet_subtensor::ServingRateLimit::<Runtime>::get(netuid).max(1);
            let waited = |last: u64| last == 0 || state::now() - last >= rate;
            waited(axon) && waited(prometheus) && !Pallet::<Runtime>::must_pause(hotkey)
        });
        if able.is_empty() {
            return None;
        }
        let neuron = self.random.pick(&able).clone();
        let (netuid, port) = (neuron.netuid, 1 + self.random.below(65_535) as u16);
        let (ip_type, ip) = *self.random.pick(&[
            (4, 0x0102_0304),
            (4, 1),
            (4, 0x7f00_0002),
            (4, u128::from(u32::MAX) - 1),
            (6, 2),
            (6, u128::MAX - 1),
        ]);
        let (version, protocol) = (self.random.below(1 << 32) as u32, self.random.below(256) as u8);
        let (placeholder1, placeholder2) = (0, u8::MAX);
        let call: Call<Runtime> = match name {
            "serve_axon" => Call::serve_axon {
                netuid,
                version,
                ip,
                port,
                ip_type,
                protocol,
                placeholder1,
                placeholder2,
            },
            "serve_axon_tls" => Call::serve_axon_tls {
                netuid,
                version,
                ip,
                port,
                ip_type,
                protocol,
                placeholder1,
                placeholder2,
                certificate: vec![1; 1 + self.random.below(65) as usize],
            },
            _ => Call::serve_prometheus {
                netuid,
                version,
                ip,
                port,
                ip_type,
            },
        };
        signed(&neuron.hotkey, call)
    }

    /// Picks a hotkey without a uid on a subnet and its coldkey, often new ones.
    fn hotkey_without_uid(&mut self, netuid: NetUid) -> (AccountId, AccountId) {
        let mut known = state::hotkeys();
        known.retain(|(hotkey, coldkey)| {
            !Uids::<Runtime>::contains_key(netuid, hotkey) && Pallet::<Runtime>::spendable(coldkey) > 20 * TAO
        });
        if known.is_empty() || self.random.below(3) == 0 {
            return (self.new_account(), self.coldkey());
        }
        self.random.pick(&known).clone()
    }

    fn register(&mut self, plain: bool) -> Fit {
        let netuid = some_subnet(self.random);
        let (hotkey, coldkey) = self.hotkey_without_uid(netuid);
        let limit_price = Burn::<Runtime>::get(netuid).saturating_mul(1 + self.random.below(3));
        let call: Call<Runtime> = if plain {
            Call::burned_register { netuid, hotkey }
        } else {
            Call::register_limit {
                netuid,
                hotkey,
                limit_price,
            }
        };
        signed(&coldkey, call)
    }

    /// Picks who can pay for a subnet, and a hotkey for it.
    fn founder(&mut self) -> Option<(AccountId, AccountId)> {
        let mut all = state::hotkeys();
        let cost = Pallet::<Runtime>::network_lock_cost();
        all.retain(|(_, coldkey)| Pallet::<Runtime>::spendable(coldkey) > cost + TAO);
        if all.is_empty() {
            return None;
        }
        let (known, coldkey) = self.random.pick(&all).clone();
        let hotkey = if self.random.below(2) == 0 {
            known
        } else {
            self.new_account()
        };
        Some((hotkey, coldkey))
    }

    fn register_network(&mut self, plain: bool) -> Fit {
        wait(1);
        let (hotkey, coldkey) = self.founder()?;
        if plain {
            return signed(&coldkey, Call::register_network { hotkey });
        }
        let identity = (self.random.below(3) > 0).then(|| self.subnet_identity());
        signed(
            &coldkey,
            Call::register_network_with_identity { hotkey, identity },
        )
    }

    fn start(&mut self) -> Fit {
        for _ in 0..2 {
            let waits = state::subnets()
                .into_iter()
                .find(|netuid| !FirstEmissionBlockNumber::<Runtime>::contains_key(netuid));
            wait(2);
            if let Some(netuid) = waits {
                return signed(&SubnetOwner::<Runtime>::get(netuid), Call::start_call { netuid });
            }
            let (hotkey, coldkey) = self.founder()?;
            let _made: Outcome = apply_signed(&coldkey, Call::register_network { hotkey });
        }
        None
    }

    fn take(&mut self, up: bool) -> Fit {
        let (low, high) = (
            MinDelegateTake::<Runtime>::get(),
            MaxDelegateTake::<Runtime>::get(),
        );
        let (hotkey, coldkey) = self.random.pick(&state::hotkeys()).clone();
        let present = Delegates::<Runtime>::try_get(&hotkey).ok();
        let (from, to) = match (up, present) {
            (true, Some(present)) => (present.saturating_add(1).max(low), high),
            (false, Some(present)) => (low, present.checked_sub(1)?.min(high)),
            (_, None) => (low, high),
        };
        let range = to.checked_sub(from)?;
        // Takes that go up by small steps leave room for the next.
        let take = from + self.random.below(u64::from(range / 4) + 1) as u16;
        if up {
            signed(&coldkey, Call::increase_take { hotkey, take })
        } else {
            signed(&coldkey, Call::decrease_take { hotkey, take })
        }
    }

    fn identity(&mut self) -> Fit {
        let neuron = self.random.pick(&state::neurons()).clone();
        let coldkey = Owner::<Runtime>::get(&neuron.hotkey);
        let ChainIdentityV2 {
            name,
            url,
            github_repo,
            image,
            discord,
            description,
            additional,
        } = ChainIdentityV2 {
            name: self.text(256),
            url: self.text(256),
            github_repo: self.text(256),
            image: self.text(1_024),
            discord: self.text(256),
            description: self.text(1_024),
            additional: self.text(1_024),
        };
        let call = Call::set_identity {
            name,
            url,
            github_repo,
            image,
            discord,
            description,
            additional,
        };
        signed(&coldkey, call)
    }

    fn subnet_identity(&mut self) -> SubnetIdentityV3 {
        SubnetIdentityV3 {
            subnet_name: self.text(256),
            github_repo: self.text(1_024),
            subnet_contact: self.text(1_024),
            subnet_url: self.text(1_024),
            discord: self.text(256),
            description: self.text(1_024),
            logo_url: self.text(1_024),
            additional: self.text(1_024),
        }
    }

    /// Makes a call of a subnet's owner.
    fn owners_choice(&mut self, name: &str) -> Fit {
        let all = state::subnets();
        // A tempo of an owner's choice is an hour at least: not where epochs are to come soon.
        let slow: Vec<NetUid> = all.iter().copied().filter(|netuid| netuid.0 > 2).collect();
        let netuid = if name == "set_tempo" && !slow.is_empty() {
            *self.random.pick(&slow)
        } else {
            *self.random.pick(&all)
        };
        let owner = SubnetOwner::<Runtime>::get(netuid);
        let call: Call<Runtime> = match name {
            "set_tempo" => Call::set_tempo {
                netuid,
                tempo: 360 + self.random.below(50_041) as u16,
            },
            "set_activity_cutoff_factor" => Call::set_activity_cutoff_factor {
                netuid,
                factor_milli: 1_000 + self.random.below(49_001) as u32,
            },
            "update_symbol" => {
                let symbol = format!("s{}", self.random.below(1_000_000)).into_bytes();
                let taken = TokenSymbol::<Runtime>::iter_values().any(|used| used == symbol);
                (!taken).then_some(Call::update_symbol { netuid, symbol })?
            }
            _ => {
                let identity = self.subnet_identity();
                Call::set_subnet_identity {
                    netuid,
                    subnet_name: identity.subnet_name,
                    github_repo: identity.github_repo,
                    subnet_contact: identity.subnet_contact,
                    subnet_url: identity.subnet_url,
                    discord: identity.discord,
                    description: identity.description,
                    logo_url: identity.logo_url,
                    additional: identity.additional,
                }
            }
        };
        let by_root =
            matches!(name, "set_activity_cutoff_factor" | "update_symbol") && self.random.below(2) == 0;
        if by_root {
            return Some((Origin::Root, call.into()));
        }
        signed(&owner, call)
    }

    fn trigger(&mut self) -> Fit {
        let mut able = state::subnets();
        able.retain(|netuid| {
            !CommitRevealWeightsEnabled::<Runtime>::get(netuid) && PendingEpochAt::<Runtime>::get(netuid) == 0
        });
        if able.is_empty() {
            let netuid = NetUid(1);
            set_rule(pallet_admin_utils::Call::sudo_set_commit_reveal_weights_enabled {
                netuid,
                enabled: false,
            });
            able.push(netuid);
        }
        let netuid = *self.random.pick(&able);
        signed(
            &SubnetOwner::<Runtime>::get(netuid),
            Call::trigger_epoch { netuid },
        )
    }

    fn auto_stake(&mut self) -> Fit {
        let (hotkey, _) = self.random.pick(&state::hotkeys()).clone();
        let (coldkey, netuid) = (self.coldkey(), some_subnet(self.random));
        if AutoStakeDestination::<Runtime>::get(&coldkey, netuid).as_ref() == Some(&hotkey) {
            return None;
        }
        signed(&coldkey, Call::set_coldkey_auto_stake_hotkey { netuid, hotkey })
    }

    fn commitment(&mut self) -> Fit {
        let mut able = state::neurons();
        able.retain(|neuron| !Pallet::<Runtime>::must_pause(&neuron.hotkey));
        if able.is_empty() {
            return None;
        }
        let neuron = self.random.pick(&able).clone();
        let text = self.text(128);
        let field = match self.random.below(5) {
            0 => Data::None,
            1 => Data::ResetBondsFlag,
            2 => Data::Sha256([7; 32]),
            3 => Data::BigRaw(BoundedVec::truncate_from(text)),
            _ => Data::Raw(BoundedVec::truncate_from(text)),
        };
        let info = CommitmentInfo {
            fields: BoundedVec::truncate_from(vec![field]),
        };
        let call = pallet_commitments::Call::set_commitment {
            netuid: neuron.netuid.0,
            info: Box::new(info),
        };
        signed(&neuron.hotkey, call)
    }
}
