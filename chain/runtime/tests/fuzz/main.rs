//! Every call of our pallets, in real blocks: with arguments at their edges and beyond from every kind of origin, and
//! with arguments that fit what the chain holds, so that what lies behind the first checks is reached too.
//!
//! The calls come from the metadata, so none can be left out. After each block the invariants of all pallets hold, or
//! the test says which calls the block had. `ARBOR_FUZZ_CASES` sets the number of calls (1 600), `ARBOR_FUZZ_SEED` the
//! seed (1), and `ARBOR_FUZZ_REPORT` prints how often each call succeeded.

#[path = "../common/mod.rs"]
mod common;

mod arguments;
mod chain;
mod fitting;
mod refused;
mod rules;
mod state;
mod weighing;

use arbor_runtime::*;
use arguments::{Arguments, Seeded};
use chain::{apply_from, begin, opened_rows, wait, Origin, Outcome, Prepared};
use codec::{Decode, Encode};
use common::*;
use fitting::Fitting;
use polkadot_sdk::*;
use rules::{is_rule, Rules};
use scale_info::{form::PortableForm, MetaType, PortableRegistry, Registry, TypeDef, Variant};
use sp_runtime::{DispatchError, ModuleError};
use std::collections::BTreeMap;
use weighing::{Fit, Memory, Weighing};

/// Pallets whose calls are made. Those of the SDK are tested there.
const PALLETS: [&str; 4] = ["SubtensorModule", "AdminUtils", "Commitments", "Drand"];
/// Who signs calls at their edges: coldkeys, the owner of subnet 1 and sudo (//Alice), hotkeys, and accounts that
/// hold nothing.
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
const CALLS_PER_CHAIN: u64 = 200;
/// Calls after which the chain's changes are written down, for each block looks at all that are not.
const CALLS_PER_COMMIT: u64 = 12;
/// Calls of the run that must have reached everything.
const DEFAULT_CASES: u64 = 1_600;

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

/// What became of a call: how often it was made, how often it succeeded, and how it failed.
#[derive(Clone, Default)]
struct Tally {
    made: u32,
    succeeded: u32,
    refused: u32,
    errors: BTreeMap<Vec<u8>, u32>,
}

/// What a chain goes through.
#[derive(Clone, Copy, PartialEq)]
enum Mood {
    /// Rules are set to values that keep the chain working.
    Calm,
    /// Rules are set to anything.
    Stormy,
}

struct Fuzzer {
    types: PortableRegistry,
    calls: Vec<Known>,
    accounts: Vec<AccountId>,
    random: Seeded,
    memory: Memory,
    mood: Mood,
    order: Vec<usize>,
    tallies: BTreeMap<String, Tally>,
    /// Names of the errors by their encoding, which is all that an event tells of them.
    errors: BTreeMap<Vec<u8>, String>,
    blame: Blame,
}

impl Fuzzer {
    fn new(seed: u64) -> Self {
        let (types, calls) = known_calls();
        let known = calls.iter().filter_map(|call| refused::refusal(&call.call.name));
        let errors = known
            .map(|(error, _)| (error.encode(), format!("{error:?}")))
            .collect();
        let zero = AccountId::new([0; 32]);
        let accounts = SIGNERS.iter().map(|uri| account(uri)).chain([zero]).collect();
        let tallies = calls.iter().map(|call| (call.name(), Tally::default())).collect();
        Self {
            types,
            calls,
            accounts,
            random: Seeded(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1),
            memory: Memory::default(),
            mood: Mood::Calm,
            order: Vec::new(),
            tallies,
            errors,
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

    /// Makes a call with arguments at their edges. A call whose lists are all too long is made again.
    fn at_edges(&mut self, at: usize) -> (Origin, RuntimeCall) {
        let call = (0..64).find_map(|_| self.make(at));
        let call =
            call.unwrap_or_else(|| panic!("{} could not be made in 64 attempts", self.calls[at].name()));
        (self.origin(at), call)
    }

    /// Chooses who makes a call at its edges.
    fn origin(&mut self, at: usize) -> Origin {
        let roots = refused::refusal(&self.calls[at].call.name).map(|(_, roots)| roots);
        if let Some(roots) = roots.filter(|_| self.random.below(3) > 0) {
            let payer = self.random.below(3) as usize;
            return if roots {
                Origin::Root
            } else {
                Origin::Signed(self.accounts[payer].clone())
            };
        }
        match self.random.below(10) {
            0 => Origin::Nobody,
            1..=3 => Origin::Root,
            4..=5 => Origin::Signed(self.accounts[0].clone()), // //Alice, who owns subnet 1
            _ => Origin::Signed(self.accounts[self.random.below(SIGNERS.len() as u64) as usize].clone()),
        }
    }

    /// Makes a call that should succeed, if the present state allows one.
    fn fit(&mut self, at: usize) -> Fit {
        let Known {
            pallet,
            pallet_index,
            call,
        } = &self.calls[at];
        if refused::refusal(&call.name).is_some() {
            return None;
        }
        if is_rule(pallet, &call.name) {
            let (types, random) = (&self.types, &mut self.random);
            return Rules { types, random }.fit(*pallet_index, call);
        }
        let name = call.name.clone();
        let (random, memory) = (&mut self.random, &mut self.memory);
        Fitting { random, memory }.fit(&name)
    }

    /// Makes the call of a kind in the open block, and counts what became of it.
    fn call_once(&mut self, at: usize) {
        let name = self.calls[at].name();
        let rule = is_rule(&self.calls[at].pallet, &self.calls[at].call.name);
        let tenths = match (self.mood, rule) {
            (Mood::Calm, true) => 10,
            (Mood::Calm, false) => 6,
            (Mood::Stormy, true) => 2,
            (Mood::Stormy, false) => 4,
        };
        let fit = (self.random.below(10) < tenths).then(|| self.fit(at)).flatten();
        let (origin, call) = match fit {
            Some(fit) => fit,
            None => self.at_edges(at),
        };
        let mut shown = format!("{origin:?}: {call:?}");
        shown.truncate(400);
        self.blame
            .0
            .push(format!("block {}: {shown}", System::block_number()));
        let outcome = apply_from(&origin, call);
        let tally = self.tallies.entry(name).or_default();
        tally.made += 1;
        match outcome {
            Outcome::Succeeded => tally.succeeded += 1,
            Outcome::Refused => tally.refused += 1,
            Outcome::Failed(error) => {
                *tally.errors.entry(error.encode()).or_default() += 1;
                if let DispatchError::Module(ModuleError {
                    message: Some(name), ..
                }) = error
                {
                    self.errors.insert(error.encode(), name.to_owned());
                }
            }
        }
    }

    /// Makes `count` calls, every kind in turn in a changing order, in blocks of a few.
    fn run(&mut self, count: u64) {
        let mut left = count;
        while left > 0 {
            begin();
            self.hand_in_pulses();
            for _ in 0..CALLS_PER_BLOCK.min(left) {
                if self.order.is_empty() {
                    self.order = (0..self.calls.len()).collect();
                }
                let at = self.random.below(self.order.len() as u64) as usize;
                let at = self.order.swap_remove(at);
                self.call_once(at);
                left -= 1;
            }
            if self.random.below(4) == 0 {
                wait(6); // an epoch of the prepared subnets passes
            }
            end_block();
            self.blame.0.clear();
        }
    }

    /// Hands in the pulses that sealed rows wait for, as a beacon does, but not always in time.
    fn hand_in_pulses(&mut self) {
        let (random, memory) = (&mut self.random, &mut self.memory);
        let mut weighing = Weighing { random, memory };
        if weighing.awaits_pulse() && weighing.random.below(4) > 0 {
            if let Some((origin, call)) = weighing.fit("write_pulse") {
                apply_from(&origin, call);
            }
        }
    }

    /// Runs one chain; what was committed on the last one is forgotten.
    fn run_chain(&mut self, prepared: &Prepared, mood: Mood, count: u64) {
        let mut chain = prepared.chain();
        (self.memory, self.mood) = (Memory::default(), mood);
        let mut left = count;
        while left > 0 {
            let some = left.min(CALLS_PER_COMMIT);
            chain.execute_with(|| self.run(some));
            chain.commit_all().expect("no transaction is open");
            left -= some;
        }
    }

    /// Lists the calls that did not do what they are for.
    fn unreached(&self) -> Vec<String> {
        let mut missed = Vec::new();
        for known in &self.calls {
            let tally = &self.tallies[&known.name()];
            let reached = match refused::refusal(&known.call.name) {
                Some((error, _)) => tally.succeeded == 0 && tally.errors.contains_key(&error.encode()),
                None => tally.succeeded > 0,
            };
            if !reached {
                missed.push(format!("{} {:?}", known.name(), self.shown_errors(tally)));
            }
        }
        missed
    }

    /// Names the errors of a call, as often as they came.
    fn shown_errors(&self, tally: &Tally) -> Vec<String> {
        let shown = |(code, count): (&Vec<u8>, &u32)| match self.errors.get(code) {
            Some(name) => format!("{count} {name}"),
            None => format!("{count} {:?}", DispatchError::decode(&mut code.as_slice())),
        };
        tally.errors.iter().map(shown).collect()
    }

    fn report(&self) {
        for (name, tally) in &self.tallies {
            let Tally {
                made,
                succeeded,
                refused,
                ..
            } = tally;
            let errors = self.shown_errors(tally).join(", ");
            println!("{succeeded:>5} of {made:>5}  {name}, {refused} not taken, {errors}");
        }
        println!("sealed rows (dropped, set): {:?}", opened_rows());
    }
}

fn from_environment(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).map_or(otherwise, |text| text.parse().expect("a whole number"))
}

#[test]
fn every_call_keeps_the_invariants_and_does_what_it_is_for() {
    let cases = from_environment("ARBOR_FUZZ_CASES", DEFAULT_CASES);
    let mut fuzzer = Fuzzer::new(from_environment("ARBOR_FUZZ_SEED", 1));
    let prepared = Prepared::new();
    let mut left = cases;
    let mut chains = 0;
    while left > 0 {
        let count = left.min(CALLS_PER_CHAIN);
        let mood = if chains % 4 == 3 { Mood::Stormy } else { Mood::Calm };
        fuzzer.run_chain(&prepared, mood, count);
        left -= count;
        chains += 1;
    }
    if std::env::var_os("ARBOR_FUZZ_REPORT").is_some() {
        fuzzer.report();
    }
    if cases >= DEFAULT_CASES {
        let missed = fuzzer.unreached();
        assert!(
            missed.is_empty(),
            "calls that never did their work:\n  {}",
            missed.join("\n  ")
        );
        let (dropped, set) = opened_rows();
        assert!(
            dropped > 0 && set > 0,
            "{dropped} sealed rows were dropped and {set} set"
        );
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
        assert!(there, "the runtime has no pallet {pallet}");
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
