//! Every call of our pallets, with arguments at their edges and beyond, from every kind of origin, in real blocks.
//!
//! The calls come from the metadata, so none can be left out. After each block the invariants of all pallets hold, or
//! the test says which calls the block had. `ARBOR_FUZZ_CASES` sets the number of calls (2 000), `ARBOR_FUZZ_SEED` the
//! seed (1), and `ARBOR_FUZZ_REPORT` prints how often each call succeeded.

#[path = "../common/mod.rs"]
mod common;

mod arguments;

use arbor_runtime::*;
use arguments::{Arguments, Seeded};
use codec::{Decode, Encode};
use common::*;
use frame_support::dispatch::GetDispatchInfo;
use polkadot_sdk::*;
use scale_info::{form::PortableForm, MetaType, PortableRegistry, Registry, TypeDef, Variant};
use sp_runtime::{
    generic::{CheckedExtrinsic, ExtrinsicFormat},
    traits::Applyable,
};
use std::collections::BTreeMap;

/// Pallets whose calls are made. Those of the SDK are tested there.
const PALLETS: [&str; 4] = ["SubtensorModule", "AdminUtils", "Commitments", "Drand"];
/// Pallets that may be absent.
const LATER: [&str; 1] = ["Drand"];
/// Who signs: coldkeys, the owner of subnet 1 and sudo (//Alice), hotkeys, and accounts that hold nothing.
const SIGNERS: [&str; 9] = [
    "//Alice",
    "//Bob",
    "//Charlie",
    "//Alice//default",
    "//Bob//hot",
    "//Charlie//hot",
    "//Dave//hot",
    "//Stranger",
    "//Nobody//hot",
];
const CALLS_PER_BLOCK: u64 = 6;
/// Calls after which the chain starts anew: rules that were set at random would end up refusing everything.
const CALLS_PER_CHAIN: u64 = 400;

/// One call of the metadata.
struct Known {
    pallet: String,
    pallet_index: u8,
    call: Variant<PortableForm>,
}

impl Known {
    fn name(&self) -> String {
        format!("{}.{}", self.pallet, self.call.name)
    }
}

/// Lists the calls of our pallets, as the metadata has them.
fn known_calls() -> (PortableRegistry, Vec<Known>) {
    let mut registry = Registry::new();
    let id = registry.register_type(&MetaType::new::<RuntimeCall>()).id;
    let types: PortableRegistry = registry.into();
    let variants = |id: u32| match &types.resolve(id).expect("registered").type_def {
        TypeDef::Variant(all) => all.variants.clone(),
        other => panic!("calls are an enum, not {other:?}"),
    };
    let mut calls = Vec::new();
    for pallet in variants(id) {
        if PALLETS.contains(&pallet.name.as_str()) {
            for call in variants(pallet.fields[0].ty.id) {
                calls.push(Known {
                    pallet: pallet.name.clone(),
                    pallet_index: pallet.index,
                    call,
                });
            }
        }
    }
    (types, calls)
}

/// Tells which calls a failing block had.
struct Blame(Vec<String>);

impl Drop for Blame {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the calls since the last good block:\n  {}", self.0.join("\n  "));
        }
    }
}

/// What became of a call: how often it was made, and how often it succeeded.
#[derive(Clone, Copy, Default)]
struct Tally {
    made: u32,
    succeeded: u32,
}

#[derive(Clone, Copy, Debug)]
enum Origin {
    Nobody,
    Root,
    /// Index of [`SIGNERS`].
    Signed(usize),
}

/// Applies a call as Executive does after it checked the signature, which takes most of the time and is tested
/// elsewhere; tells whether it succeeded.
fn apply_unchecked(format: ExtrinsicFormat<AccountId, TxExtension>, call: RuntimeCall) -> bool {
    let info = call.get_dispatch_info();
    let encoded = call.encode();
    let length = encoded.len();
    System::note_extrinsic(encoded);
    let checked = CheckedExtrinsic {
        format,
        function: call,
    };
    let Ok(result) = checked.apply::<Runtime>(&info, length) else {
        return false; // the pool's refusal: the block goes on without it
    };
    System::note_applied_extrinsic(&result, info);
    result.is_ok()
}

fn apply_signed(who: &AccountId, call: RuntimeCall) -> bool {
    let extension = extension(System::account_nonce(who));
    apply_unchecked(ExtrinsicFormat::Signed(who.clone(), extension), call)
}

struct Fuzzer {
    types: PortableRegistry,
    calls: Vec<Known>,
    accounts: Vec<AccountId>,
    random: Seeded,
    tallies: BTreeMap<String, Tally>,
    blame: Blame,
}

impl Fuzzer {
    fn new(seed: u64) -> Self {
        let (types, calls) = known_calls();
        let zero = AccountId::new([0; 32]);
        let accounts = SIGNERS.iter().map(|uri| account(uri)).chain([zero]).collect();
        let tallies = calls.iter().map(|call| (call.name(), Tally::default())).collect();
        Self {
            types,
            calls,
            accounts,
            random: Seeded(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1),
            tallies,
            blame: Blame(Vec::new()),
        }
    }

    /// Makes one call of the kind at an index; `None` if what came out is no call (a list above its bound).
    fn make(&mut self, at: usize) -> Option<RuntimeCall> {
        let known = &self.calls[at];
        let length = *self.random.pick(&[1, 2, 3, 4, 5, 8]);
        let mut bytes = vec![known.pallet_index, known.call.index];
        let mut arguments = Arguments {
            types: &self.types,
            random: &mut self.random,
            accounts: &self.accounts,
            length,
        };
        bytes.extend(arguments.fields(&known.call.fields));
        let input = &mut bytes.as_slice();
        let call = RuntimeCall::decode(input).ok()?;
        assert!(
            input.is_empty(),
            "{} did not read all its arguments",
            known.name()
        );
        Some(call)
    }

    /// Chooses who makes a call; `None` is nobody.
    fn origin(&mut self) -> Origin {
        match self.random.below(10) {
            0 => Origin::Nobody,
            1..=3 => Origin::Root,
            4..=5 => Origin::Signed(0), // //Alice, who owns subnet 1
            _ => Origin::Signed(self.random.below(SIGNERS.len() as u64) as usize),
        }
    }

    fn call_once(&mut self, at: usize) {
        // A call whose lists are all too long is made again; each kind can be made.
        let call = (0..64).find_map(|_| self.make(at));
        let name = self.calls[at].name();
        let call = call.unwrap_or_else(|| panic!("{name} could not be made in 64 attempts"));
        let origin = self.origin();
        let mut shown = format!("{origin:?}: {call:?}");
        shown.truncate(400);
        self.blame.0.push(shown);
        let succeeded = match origin {
            Origin::Nobody => apply_unchecked(ExtrinsicFormat::Bare, call),
            Origin::Signed(at) => apply_signed(&self.accounts[at], call),
            Origin::Root => {
                System::reset_events();
                let call = Box::new(call);
                let applied = apply_signed(&self.accounts[0], pallet_sudo::Call::sudo { call }.into());
                let undone = |event: &RuntimeEvent| {
                    use pallet_sudo::Event::Sudid;
                    matches!(event, RuntimeEvent::Sudo(Sudid { sudo_result: Err(_) }))
                };
                applied && !System::events().iter().any(|record| undone(&record.event))
            }
        };
        let tally = self.tallies.entry(name).or_default();
        tally.made += 1;
        tally.succeeded += u32::from(succeeded);
    }

    /// Makes `count` calls, every kind in turn in a changing order, in blocks of a few.
    fn run(&mut self, count: u64) {
        let mut order: Vec<usize> = Vec::new();
        let mut left = count;
        while left > 0 {
            begin_block();
            for _ in 0..CALLS_PER_BLOCK.min(left) {
                if order.is_empty() {
                    order = (0..self.calls.len()).collect();
                }
                let at = order.swap_remove(self.random.below(order.len() as u64) as usize);
                self.call_once(at);
                left -= 1;
            }
            end_block();
            self.blame.0.clear();
            if self.random.below(8) == 0 {
                run_blocks(11); // an epoch of the development preset passes
            }
        }
    }
}

/// A development chain where a second subnet, stake, neurons and weights give the calls something to work on.
fn prepared(test: impl FnOnce()) {
    use pallet_subtensor::{Call, NetUid};
    on_dev(|| {
        begin_block();
        apply_ok(sign(
            "//Bob",
            Call::register_network {
                hotkey: account("//Bob//hot"),
            },
        ));
        for (coldkey, hotkey) in [("//Bob", "//Bob//hot"), ("//Charlie", "//Charlie//hot")] {
            let (hotkey, netuid) = (account(hotkey), NetUid(1));
            apply_ok(sign(
                coldkey,
                Call::burned_register {
                    netuid,
                    hotkey: hotkey.clone(),
                },
            ));
            let amount_staked = 500 * TAO;
            apply_ok(sign(
                coldkey,
                Call::add_stake {
                    hotkey,
                    netuid,
                    amount_staked,
                },
            ));
        }
        end_block();
        run_blocks(12);
        begin_block();
        let (netuid, version_key) = (NetUid(1), 0);
        let (dests, weights) = (vec![0, 1, 2], vec![1, 2, 3]);
        let row = Call::set_weights {
            netuid,
            dests,
            weights,
            version_key,
        };
        apply_ok(sign("//Bob//hot", row));
        end_block();
        test();
    });
}

fn from_environment(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).map_or(otherwise, |text| text.parse().expect("a whole number"))
}

#[test]
fn every_call_keeps_the_invariants_when_its_arguments_are_at_their_edges() {
    let cases = from_environment("ARBOR_FUZZ_CASES", 2_000);
    let mut fuzzer = Fuzzer::new(from_environment("ARBOR_FUZZ_SEED", 1));
    let mut left = cases;
    while left > 0 {
        let count = left.min(CALLS_PER_CHAIN);
        prepared(|| fuzzer.run(count));
        left -= count;
    }
    if std::env::var_os("ARBOR_FUZZ_REPORT").is_some() {
        for (name, tally) in &fuzzer.tallies {
            println!("{:>5} of {:>5}  {name}", tally.succeeded, tally.made);
        }
    }
    if cases >= fuzzer.calls.len() as u64 {
        let missed: Vec<_> = fuzzer
            .tallies
            .iter()
            .filter(|(_, tally)| tally.made == 0)
            .collect();
        assert!(missed.is_empty(), "calls were left out: {}", missed.len());
    }
}

#[test]
fn fuzzer_knows_every_call_when_compared_with_the_metadata() {
    use frame_support::traits::GetCallMetadata;
    let (_, calls) = known_calls();
    for pallet in RuntimeCall::get_module_names() {
        if !PALLETS.contains(pallet) {
            continue;
        }
        let names = RuntimeCall::get_call_names(pallet);
        let known: Vec<_> = calls.iter().filter(|call| call.pallet == *pallet).collect();
        assert!(!names.is_empty());
        assert_eq!(names.len(), known.len(), "calls of {pallet}");
        assert!(known.iter().all(|call| names.contains(&call.call.name.as_str())));
    }
    for pallet in PALLETS {
        let there = RuntimeCall::get_module_names().contains(&pallet);
        assert!(
            there || LATER.contains(&pallet),
            "the runtime has no pallet {pallet}"
        );
    }
}

#[test]
fn calls_are_the_same_on_every_run_when_the_seed_is() {
    let made = || {
        let mut fuzzer = Fuzzer::new(7);
        (0..fuzzer.calls.len())
            .map(|at| fuzzer.make(at).encode())
            .collect::<Vec<_>>()
    };
    assert_eq!(made(), made());
}
