//! What holds for any input: no panic, nothing paid twice, everything in its range.

use arbor_math::{
    burn, coinbase, fixed::I32F32, issuance, mechanisms, run_epoch, schedule, shares, upscale, wide,
    EpochInput, EpochOutput,
};
use proptest::{collection::vec, option, prelude::*};

const ONE: i64 = 1 << 32;

type Row = Vec<(u16, u16)>;

/// Any input at all: lengths that do not fit `n`, uids out of range and twice in a row, extreme numbers.
fn hostile() -> impl Strategy<Value = EpochInput> {
    let block = || prop_oneof![Just(0), Just(u64::MAX), 0..50u64, any::<u64>()];
    let rows = || vec(vec((0..12u16, any::<u16>()), 0..16), 0..12);
    let blocks = (
        block(),
        any::<u16>(),
        block(),
        vec(block(), 0..12),
        vec(block(), 0..12),
        block(),
    );
    let stakes = (
        vec(block(), 0..12),
        block(),
        option::of(0..12u16),
        vec(any::<bool>(), 0..12),
        any::<u16>(),
    );
    let bonds = (any::<u16>(), any::<u16>(), block(), any::<bool>(), any::<bool>());
    let liquid = (
        any::<u16>(),
        any::<u16>(),
        any::<i16>(),
        option::of(vec(block(), 0..12)),
        any::<u64>(),
    );
    (0..10u16, blocks, stakes, rows(), rows(), bonds, liquid).prop_map(
        |(n, blocks, stakes, weights, stored, bonds, liquid)| EpochInput {
            n,
            current_block: blocks.0,
            tempo: blocks.1,
            activity_cutoff: blocks.2,
            last_update: blocks.3,
            block_at_registration: blocks.4,
            last_mechanism_step_block: blocks.5,
            stake: stakes.0,
            min_stake: stakes.1,
            owner_uid: stakes.2,
            validator_permits: stakes.3,
            max_allowed_validators: stakes.4,
            weights,
            bonds: stored,
            kappa: bonds.0,
            bonds_penalty: bonds.1,
            bonds_moving_average: bonds.2,
            yuma3: bonds.3,
            liquid_alpha: bonds.4,
            alpha_low: liquid.0,
            alpha_high: liquid.1,
            alpha_sigmoid_steepness: liquid.2,
            commit_blocks: liquid.3,
            rao_emission: liquid.4,
        },
    )
}

/// A subnet as the chain keeps it: every uid active, permitted and weighed by others.
fn orderly() -> impl Strategy<Value = EpochInput> {
    let row = || vec(option::of(any::<u16>()), 8).prop_map(entries);
    let config = (any::<bool>(), any::<bool>(), any::<u16>(), 0..1_000_000u64);
    (
        vec(1..=1_000_000_000_000_000u64, 8),
        vec(row(), 8),
        vec(row(), 8),
        config,
    )
        .prop_map(
            |(stake, weights, bonds, (yuma3, liquid_alpha, bonds_penalty, bonds_moving_average))| {
                EpochInput {
                    n: 8,
                    current_block: 100,
                    tempo: 10,
                    activity_cutoff: 50,
                    last_update: vec![90; 8],
                    block_at_registration: vec![1; 8],
                    last_mechanism_step_block: 90,
                    stake,
                    validator_permits: vec![true; 8],
                    max_allowed_validators: 4,
                    weights,
                    bonds,
                    kappa: 32_767,
                    bonds_penalty,
                    bonds_moving_average,
                    yuma3,
                    liquid_alpha,
                    alpha_low: 45_875,
                    alpha_high: 58_982,
                    alpha_sigmoid_steepness: 1000,
                    rao_emission: 1_000_000_000,
                    ..EpochInput::default()
                }
            },
        )
}

fn entries(row: Vec<Option<u16>>) -> Row {
    row.into_iter()
        .zip(0..)
        .filter_map(|(value, uid)| Some((uid, value?)))
        .collect()
}

fn lengths(out: &EpochOutput) -> Vec<usize> {
    let numbers = [
        &out.stake_weight,
        &out.consensus,
        &out.validator_trust,
        &out.incentive,
        &out.dividends,
    ];
    let amounts = [&out.server_emission, &out.validator_emission, &out.emission];
    let rest = [
        out.active.len(),
        out.new_validator_permits.len(),
        out.bonds.len(),
        out.bits.weights.len(),
    ];
    numbers
        .map(Vec::len)
        .into_iter()
        .chain(amounts.map(Vec::len))
        .chain(rest)
        .collect()
}

fn total(amounts: &[u64]) -> u128 {
    amounts.iter().map(|amount| u128::from(*amount)).sum()
}

/// Truncation takes at most one unit in the last place per entry.
fn sums_to_one_or_zero(bits: &[i64]) -> bool {
    let sum: i64 = bits.iter().sum();
    sum == 0 || (sum <= ONE && sum >= ONE - bits.len() as i64)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn epoch_answers_for_every_uid_when_the_input_is_hostile(input in hostile()) {
        let out = run_epoch(&input);
        prop_assert!(lengths(&out).iter().all(|length| *length == usize::from(input.n)));
        prop_assert!(total(&out.emission) <= u128::from(input.rao_emission));
        let parts = total(&out.server_emission) + total(&out.validator_emission);
        prop_assert!(parts <= u128::from(input.rao_emission));
        prop_assert!(out.bits.stake.iter().sum::<i64>() <= ONE);
        for values in [&out.bits.consensus, &out.bits.incentive, &out.bits.dividends, &out.bits.active_stake] {
            prop_assert!(values.iter().all(|bits| (0..=ONE).contains(bits)));
        }
    }

    #[test]
    fn epoch_normalises_its_results_when_the_subnet_is_orderly(input in orderly()) {
        let out = run_epoch(&input);
        for values in [&out.bits.stake, &out.bits.active_stake, &out.bits.incentive, &out.bits.dividends] {
            prop_assert!(sums_to_one_or_zero(values), "{values:?}");
        }
        for row in &out.bits.weights {
            prop_assert!(sums_to_one_or_zero(&row.iter().map(|entry| entry.1).collect::<Vec<i64>>()));
        }
        let permits = out.new_validator_permits.iter().filter(|permit| **permit).count();
        prop_assert_eq!(permits, 4);
        let shared = out.incentive.iter().any(|value| *value > 0);
        prop_assert!(!shared || total(&out.emission) + 8 >= u128::from(input.rao_emission));
    }

    #[test]
    fn epoch_gives_the_same_answer_when_rows_hold_no_self_weight(input in orderly()) {
        let mut without = input.clone();
        for (uid, row) in without.weights.iter_mut().enumerate() {
            row.retain(|(target, _)| usize::from(*target) != uid);
        }
        prop_assert_eq!(run_epoch(&input), run_epoch(&without));
    }

    #[test]
    fn upscaling_reaches_the_top_and_then_changes_nothing(row in vec(any::<u16>(), 0..20)) {
        let once = upscale::max_upscale(&row);
        prop_assert_eq!(once.len(), row.len());
        if row.iter().any(|weight| *weight > 0) {
            prop_assert_eq!(once.iter().max(), Some(&u16::MAX));
        }
        prop_assert_eq!(upscale::max_upscale(&once), once);
    }

    #[test]
    fn splits_give_out_what_there_is(out in any::<u64>(), cut in any::<u16>(), root in any::<u64>()) {
        let split = coinbase::split_emission(out, cut, root);
        let given = total(&[split.owner_cut, split.server, split.root_alpha, split.validator]);
        prop_assert!(given <= u128::from(out) && given + 4 > u128::from(out));
    }

    #[test]
    fn injection_spends_the_emission(tao in any::<u64>(), alpha in any::<u64>(), root in any::<u64>(), price in any::<u64>()) {
        let paid = coinbase::injection(tao, alpha, root, price);
        prop_assert_eq!(total(&[paid.tao_in, paid.excess_tao]), u128::from(tao));
        prop_assert!(paid.alpha_in <= alpha);
    }

    #[test]
    fn root_proportion_stays_a_share(tao in any::<u64>(), weight in any::<u64>(), alpha in any::<u64>()) {
        prop_assert!(coinbase::root_proportion(tao, weight, alpha) <= 1 << 32);
    }

    #[test]
    fn mechanisms_get_all_of_it(amount in any::<u64>(), count in 1..17u8, split in option::of(vec(any::<u16>(), 0..17))) {
        let parts = mechanisms::split_amount(amount, count, split.as_deref());
        prop_assert_eq!(parts.len(), usize::from(count));
        prop_assert_eq!(total(&parts), u128::from(amount));
    }

    #[test]
    fn block_emission_never_rises(a in any::<u64>(), b in any::<u64>()) {
        prop_assert!(issuance::block_emission(a.max(b)) <= issuance::block_emission(a.min(b)));
    }

    #[test]
    fn burn_prices_stay_within_bounds(
        price in any::<u64>(), half_life in any::<u16>(), blocks in 0..5000u32, mult in any::<u128>(),
        bounds in any::<(u64, u64)>(), registrations in any::<(u16, u16, u64)>(),
    ) {
        let (min, max) = (bounds.0.min(bounds.1), bounds.0.max(bounds.1));
        let factor = burn::decay_factor_q32(half_life);
        prop_assert!(factor <= burn::ONE_Q32);
        let (done, target, alpha) = registrations;
        for next in [
            burn::price_after(price.clamp(min, max), factor, blocks, min, max),
            burn::bump(price, mult, min, max),
            burn::adjust_legacy(price, done, target, alpha, min, max),
        ] {
            prop_assert!((min..=max).contains(&next));
        }
    }

    #[test]
    fn shares_never_exceed_the_whole(rows in vec(any::<(u128, u128, bool)>(), 0..12)) {
        let subnet = |row: &(u128, u128, bool)| shares::SubnetPrice {
            moving_price: row.0, miner_burned: row.1, emission_enabled: row.2,
        };
        let shares = shares::subnet_shares(&rows.iter().map(subnet).collect::<Vec<_>>());
        prop_assert_eq!(shares.len(), rows.len());
        prop_assert!(shares.iter().sum::<u128>() <= wide::ONE_U64F64);
    }

    #[test]
    fn moving_prices_lie_between_the_old_and_the_new(
        old in 0..=wide::ONE_U64F64, price in any::<u128>(), alpha in 0..=wide::ONE_U64F64, age in any::<u64>(),
    ) {
        let next = shares::moving_price(old, price, alpha, age, 201_600);
        let price = price.min(wide::ONE_U64F64);
        prop_assert!(next + 2 >= old.min(price) && next <= old.max(price));
    }

    #[test]
    fn wide_products_and_quotients_undo_each_other(a in any::<u64>(), b in 1..u64::MAX) {
        let quotient = wide::div_u64f64(a.into(), b.into());
        prop_assert!(quotient >> 64 == u128::from(a / b));
        let back = wide::mul_u64f64(quotient, u128::from(b) << 64);
        prop_assert!((back >> 64) + 1 >= u128::from(a) && back <= u128::from(a) << 64);
    }

    #[test]
    fn schedules_answer_when_blocks_are_extreme(state in any::<(u16, u64, u64, u64)>(), block in any::<u64>(), netuid in any::<u16>()) {
        let (tempo, last_epoch_block, pending_epoch_at, blocks_since_last_step) = state;
        let state = schedule::EpochState { tempo, last_epoch_block, pending_epoch_at, blocks_since_last_step };
        if tempo == 0 {
            prop_assert!(!schedule::is_due(&state, block) && !schedule::is_due_legacy(netuid, tempo, block));
        } else if schedule::blocks_until_auto(&state, block) == 0 && block > last_epoch_block {
            prop_assert!(schedule::is_due(&state, block) || last_epoch_block.checked_add(tempo.into()).is_none());
        }
        prop_assert!(schedule::staggered_start(netuid, tempo, block) <= block);
        prop_assert!(schedule::activity_cutoff(u32::MAX, tempo) >= 1);
    }
}

/// The product as its definition has it: 128 bits, rounded down, cut to 64.
fn product_by_definition(a: i64, b: i64) -> i64 {
    let product = (i128::from(a) * i128::from(b)) >> 32;
    product.clamp(i64::MIN.into(), i64::MAX.into()) as i64
}

proptest! {
    #[test]
    fn products_follow_their_definition(a in any::<i64>(), b in prop_oneof![any::<i64>(), -5..=ONE + 5, Just(i64::MIN)]) {
        for (a, b) in [(a, b), (b, a), (a, ONE), (i64::MIN, b), (i64::MAX, b), (i64::MIN, ONE), (i64::MAX, ONE)] {
            let product = I32F32::from_bits(a).mul(I32F32::from_bits(b));
            prop_assert_eq!(product.to_bits(), product_by_definition(a, b));
        }
    }
}
