//! Calls and hooks at their worst usual size: `node bench/weights.ts` measures them and writes `weight_info.rs`.
//!
//! Every subnet here has 256 neurons, as many as it may have, and each of them has stake. A call that nobody can make
//! larger than another shares its benchmark.
//!
//! One file, above the house's length: FRAME wants the benchmarks of a pallet in one module, and each is a few lines.

use super::*;
use alloc::{vec, vec::Vec};
use arbor_timelock::{seal, BeaconSecret, PublicKey, SealRandomness};
use codec::Encode;
use frame_benchmarking::v2::*;
use frame_support::{
    traits::{fungible::Mutate, ConstU32},
    BoundedVec,
};
use frame_system::RawOrigin;
use sp_runtime::traits::Hash;

/// One TAO in rao, one alpha in its smallest unit.
const UNIT: u64 = 1_000_000_000;
/// The subnet that is measured.
const NET: NetUid = NetUid(2);
/// Block at which a benchmark happens.
const NOW: u32 = 100_000;

/// Makes an account with 100 000 TAO.
fn rich<T: Config>(name: &'static str, index: u32) -> T::AccountId {
    let who: T::AccountId = account(name, index, 0);
    give::<T>(&who);
    who
}

/// Mints 100 000 TAO to an account.
fn give<T: Config>(who: &T::AccountId) {
    let rao = 100_000 * UNIT;
    T::Currency::mint_into(who, rao).expect("an account can hold 100 000 TAO");
    TotalIssuance::<T>::mutate(|total| *total = total.saturating_add(rao));
}

fn hotkey<T: Config>(netuid: NetUid, uid: u16) -> T::AccountId {
    account("hotkey", uid.into(), netuid.0.into())
}

fn coldkey<T: Config>(uid: u16) -> T::AccountId {
    account("coldkey", uid.into(), 0)
}

/// Makes a started subnet with a pool of 1 000 000 TAO and `neurons` staked neurons; uid 0 is the owner's.
pub fn subnet<T: Config>(netuid: NetUid, neurons: u16) {
    frame_system::Pallet::<T>::set_block_number(NOW.into());
    let owner: T::AccountId = coldkey::<T>(0);
    Pallet::<T>::init_subnet(netuid, &owner, &hotkey::<T>(netuid, 0), 1);
    Pallet::<T>::fill_pool(netuid, 1_000_000 * UNIT, 1_000_000 * UNIT);
    Pallet::<T>::start_subnet(netuid, 1);
    MaxAllowedUids::<T>::insert(netuid, 256);
    MaxAllowedValidators::<T>::insert(netuid, 256);
    MaxRegistrationsPerBlock::<T>::insert(netuid, u16::MAX);
    WeightsSetRateLimit::<T>::insert(netuid, 1);
    CommitRevealWeightsEnabled::<T>::insert(netuid, false);
    for uid in 0..neurons {
        let hot = hotkey::<T>(netuid, uid);
        let cold = coldkey::<T>(uid);
        Owner::<T>::insert(&hot, &cold);
        Pallet::<T>::register_neuron(netuid, &hot).expect("the subnet has room");
        Pallet::<T>::issue_alpha(netuid, 1_000 * UNIT);
        Pallet::<T>::increase_stake(&hot, &cold, netuid, 1_000 * UNIT);
        BlockAtRegistration::<T>::insert(netuid, uid, 1);
    }
    let index = NetUidStorageIndex::new(netuid, MechId::MAIN);
    LastUpdate::<T>::insert(index, vec![u64::from(NOW) - 50; neurons.into()]);
    ValidatorPermit::<T>::insert(netuid, vec![true; neurons.into()]);
    LastEpochBlock::<T>::insert(netuid, u64::from(NOW) - 1);
    Tempo::<T>::insert(netuid, 360);
}

/// Gives the first `rows` neurons weights and bonds on all.
pub fn full_rows<T: Config>(netuid: NetUid, rows: u16) {
    let index = NetUidStorageIndex::new(netuid, MechId::MAIN);
    for uid in 0..rows {
        Weights::<T>::insert(index, uid, row(netuid_len::<T>(netuid), uid));
        Bonds::<T>::insert(index, uid, row(netuid_len::<T>(netuid), uid.wrapping_add(7)));
    }
}

fn netuid_len<T: Config>(netuid: NetUid) -> u16 {
    SubnetworkN::<T>::get(netuid)
}

/// A row on the first `length` uids, in which nothing is zero or equal to its neighbour.
fn row(length: u16, salt: u16) -> Vec<(u16, u16)> {
    (0..length)
        .map(|uid| {
            (
                uid,
                uid.wrapping_mul(251).wrapping_add(salt.wrapping_mul(7_919)) | 1,
            )
        })
        .collect()
}

fn uids_and_values(length: u16) -> (Vec<u16>, Vec<u16>) {
    row(length, 3).into_iter().unzip()
}

/// Lets a coldkey own and stake to as many hotkeys as it may, but one.
fn many_hotkeys<T: Config>(cold: &T::AccountId) {
    let hotkeys: Vec<T::AccountId> = (1..defaults::MAX_OWNED_HOTKEYS as u32)
        .map(|index| account("idle", index, 0))
        .collect();
    OwnedHotkeys::<T>::insert(cold, &hotkeys);
    StakingHotkeys::<T>::insert(cold, hotkeys);
}

/// An identity's text of `length` bytes.
fn text(length: usize) -> Vec<u8> {
    vec![b'a'; length]
}

/// An identity of a subnet that says as much as it may.
fn long_identity() -> SubnetIdentityV3 {
    SubnetIdentityV3 {
        subnet_name: text(256),
        github_repo: text(1_024),
        subnet_contact: text(1_024),
        subnet_url: text(1_024),
        discord: text(256),
        description: text(1_024),
        logo_url: text(1_024),
        additional: text(1_024),
    }
}

/// Makes `count` subnets on all of which a coldkey has stake with hotkey 0 of the first; returns both.
fn staked_everywhere<T: Config>(count: u32) -> (T::AccountId, T::AccountId) {
    let who = rich::<T>("staker", 0);
    let hot = hotkey::<T>(NET, 0);
    for netuid in (0..count as u16).map(|at| NetUid(at + 2)) {
        subnet::<T>(netuid, 1);
        Pallet::<T>::issue_alpha(netuid, 1_000 * UNIT);
        Pallet::<T>::increase_stake(&hot, &who, netuid, 1_000 * UNIT);
    }
    (who, hot)
}

/// Fills the pendings, so that an epoch has something to pay.
fn pendings<T: Config>(netuid: NetUid) {
    Pallet::<T>::issue_alpha(netuid, 4_000 * UNIT);
    PendingServerEmission::<T>::insert(netuid, 1_000 * UNIT);
    PendingValidatorEmission::<T>::insert(netuid, 1_000 * UNIT);
    PendingRootAlphaDivs::<T>::insert(netuid, 1_000 * UNIT);
    PendingOwnerCut::<T>::insert(netuid, 1_000 * UNIT);
}

/// Lets a subnet's validators commit and reveal, with ten commits of `hot` open, of which the last is `hash`.
fn open_commits<T: Config>(hot: &T::AccountId, hash: T::Hash) {
    CommitRevealWeightsEnabled::<T>::insert(NET, true);
    let index = NetUidStorageIndex::new(NET, MechId::MAIN);
    SubnetEpochIndex::<T>::insert(NET, 10);
    let due = 10u64.saturating_sub(RevealPeriodEpochs::<T>::get(NET));
    let mut commits: Vec<_> = (0..9u64)
        .map(|salt| (T::Hashing::hash_of(&salt), due, u64::from(NOW) - 40, 0))
        .collect();
    commits.push((hash, due, u64::from(NOW) - 40, 0));
    WeightCommits::<T>::insert(index, hot, commits);
}

/// The hash of a row under a salt.
fn commit_of<T: Config>(hot: &T::AccountId, uids: &[u16], values: &[u16], salt: &[u16]) -> T::Hash {
    let index = NetUidStorageIndex::new(NET, MechId::MAIN);
    T::Hashing::hash_of(&(hot, index, uids, values, salt, 0u64))
}

/// Fills the queue of the present epoch to its last byte but one commit's.
fn full_queue<T: Config>(bytes: u32) -> BoundedVec<u8, frame_support::traits::ConstU32<MAX_COMMIT_BYTES>> {
    CommitRevealWeightsEnabled::<T>::insert(NET, true);
    let index = NetUidStorageIndex::new(NET, MechId::MAIN);
    let commit: BoundedVec<_, _> = vec![7u8; 5_000].try_into().expect("5 000 bytes are allowed");
    let queue: alloc::collections::VecDeque<_> = (0..timelocked::QUEUE_BYTES / 5_000 - 1)
        .map(|uid| {
            (
                hotkey::<T>(NET, uid as u16 + 1),
                u64::from(NOW),
                commit.clone(),
                1u64,
            )
        })
        .collect();
    TimelockedWeightCommits::<T>::insert(index, Pallet::<T>::epoch_of_commits(NET), queue);
    vec![7u8; bytes as usize].try_into().expect("within the bound")
}

/// Counts the commits that wait on the subnet.
fn queued<T: Config>() -> usize {
    let index = NetUidStorageIndex::new(NET, MechId::MAIN);
    TimelockedWeightCommits::<T>::iter_prefix_values(index)
        .map(|queue| queue.len())
        .sum()
}

/// Round of the first commit that opens; the others name the rounds after it.
const ROUND: u64 = 1_000;

/// Seals a full row of a hotkey for a round, and stores the round's signature.
fn sealed_row<T: Config>(hot: &T::AccountId, round: u64) -> BoundedVec<u8, ConstU32<MAX_COMMIT_BYTES>> {
    let secret = BeaconSecret::from_phrase(b"arbor development beacon");
    T::Beacon::store(round, secret.sign(round));
    let key = PublicKey::parse(&secret.public_key()).expect("it is a key");
    let (uids, values) = uids_and_values(256);
    let random = SealRandomness {
        sigma: [1; 32],
        key: [2; 32],
        nonce: [3; 12],
    };
    let row = (hot.encode(), uids, values, 0u64).encode();
    let sealed = seal(&key, round, &row, &random).expect("usable randomness");
    sealed.try_into().expect("within the bound")
}

/// Lets 1 MiB of commits wait whose pulse is missing, and behind them `count` that open, each by another pulse;
/// returns how many keep waiting.
fn due_queue<T: Config>(count: u16) -> usize {
    CommitRevealWeightsEnabled::<T>::insert(NET, true);
    SubnetEpochIndex::<T>::insert(NET, 10);
    let due = Pallet::<T>::due_epoch(NET).expect("ten epochs have been");
    let block = u64::from(NOW) - 40;
    let late: BoundedVec<_, _> = vec![7u8; 5_000].try_into().expect("5 000 bytes are allowed");
    let waiting = timelocked::QUEUE_BYTES / 5_000;
    let mut queue: TimelockedQueue<T> = (0..waiting)
        .map(|at| {
            let hot = hotkey::<T>(NET, at as u16 + 40);
            (hot, block, late.clone(), u64::MAX - at as u64)
        })
        .collect();
    queue.extend((0..count).map(|uid| {
        let (hot, round) = (hotkey::<T>(NET, uid), ROUND + u64::from(uid));
        let sealed = sealed_row::<T>(&hot, round);
        (hot, block, sealed, round)
    }));
    TimelockedWeightCommits::<T>::insert(NetUidStorageIndex::new(NET, MechId::MAIN), due, queue);
    waiting
}

#[benchmarks]
mod benchmarks {
    use super::*;

    /// A row of `w` weights.
    #[benchmark]
    fn set_weights(w: Linear<1, 256>) {
        subnet::<T>(NET, 256);
        let (uids, values) = uids_and_values(w as u16);
        #[extrinsic_call]
        _(RawOrigin::Signed(hotkey::<T>(NET, 0)), NET, uids, values, 0);
    }

    #[benchmark]
    fn add_stake() {
        subnet::<T>(NET, 256);
        let who = rich::<T>("staker", 0);
        many_hotkeys::<T>(&who);
        #[extrinsic_call]
        _(RawOrigin::Signed(who), hotkey::<T>(NET, 9), NET, 100 * UNIT);
    }

    #[benchmark]
    fn remove_stake() {
        subnet::<T>(NET, 256);
        let who = coldkey::<T>(9);
        #[extrinsic_call]
        _(RawOrigin::Signed(who), hotkey::<T>(NET, 9), NET, 100 * UNIT);
    }

    #[benchmark]
    fn add_stake_limit() {
        subnet::<T>(NET, 256);
        let who = rich::<T>("staker", 0);
        many_hotkeys::<T>(&who);
        #[extrinsic_call]
        _(
            RawOrigin::Signed(who),
            hotkey::<T>(NET, 9),
            NET,
            100 * UNIT,
            2 * UNIT,
            true,
        );
    }

    #[benchmark]
    fn remove_stake_limit() {
        subnet::<T>(NET, 256);
        let who = coldkey::<T>(9);
        #[extrinsic_call]
        _(
            RawOrigin::Signed(who),
            hotkey::<T>(NET, 9),
            NET,
            100 * UNIT,
            UNIT / 2,
            true,
        );
    }

    #[benchmark]
    fn serve_axon() {
        subnet::<T>(NET, 256);
        let who = hotkey::<T>(NET, 9);
        #[extrinsic_call]
        _(RawOrigin::Signed(who), NET, 1, 0x0102_0304, 8_091, 4, 4, 0, 0);
    }

    /// A subnet with room for one more.
    #[benchmark]
    fn burned_register() {
        subnet::<T>(NET, 255);
        let who = rich::<T>("registrant", 0);
        many_hotkeys::<T>(&who);
        #[extrinsic_call]
        _(RawOrigin::Signed(who), NET, account("new", 0, 0));
        assert_eq!(SubnetworkN::<T>::get(NET), 256);
    }

    /// A full subnet with `r` rows of weights, from each of which the replaced uid must go.
    #[benchmark]
    fn register_replacing(r: Linear<0, 256>) {
        subnet::<T>(NET, 256);
        full_rows::<T>(NET, r as u16);
        let who = rich::<T>("registrant", 0);
        many_hotkeys::<T>(&who);
        #[block]
        {
            Pallet::<T>::do_burned_register(who, NET, account("new", 0, 0), None).expect("one gives way");
        }
        assert!(Uids::<T>::contains_key(NET, account::<T::AccountId>("new", 0, 0)));
    }

    /// A chain with `s` other subnets, whose prices make the new one's.
    #[benchmark]
    fn register_network(s: Linear<0, 127>) {
        for netuid in 0..s as u16 {
            subnet::<T>(NetUid(netuid + 2), 1);
        }
        SubnetLimit::<T>::put(1_000);
        NetworkRateLimit::<T>::put(0);
        let who = rich::<T>("founder", 0);
        many_hotkeys::<T>(&who);
        #[extrinsic_call]
        _(RawOrigin::Signed(who), account("founding", 0, 0));
    }

    #[benchmark]
    fn start_call() {
        subnet::<T>(NET, 256);
        FirstEmissionBlockNumber::<T>::remove(NET);
        #[extrinsic_call]
        _(RawOrigin::Signed(coldkey::<T>(0)), NET);
    }

    #[benchmark]
    fn serve_prometheus() {
        subnet::<T>(NET, 256);
        let who = hotkey::<T>(NET, 9);
        #[extrinsic_call]
        _(RawOrigin::Signed(who), NET, 1, 0x0102_0304, 9_100, 4);
    }

    #[benchmark]
    fn serve_axon_tls() {
        subnet::<T>(NET, 256);
        let who = hotkey::<T>(NET, 9);
        #[extrinsic_call]
        _(
            RawOrigin::Signed(who),
            NET,
            1,
            0x0102_0304,
            8_091,
            4,
            4,
            0,
            0,
            vec![7; 65],
        );
    }

    /// Any of the calls that are there to be refused by name.
    #[benchmark]
    fn refused() {
        let who = rich::<T>("founder", 0);
        #[block]
        {
            let refusal = Pallet::<T>::dissolve_network(RawOrigin::Signed(who.clone()).into(), who, NET);
            assert!(refusal.is_err());
        }
    }

    /// A full root, the last of whose neurons gives way.
    #[benchmark]
    fn root_register() {
        let most = MaxAllowedUids::<T>::get(NetUid::ROOT);
        for uid in SubnetworkN::<T>::get(NetUid::ROOT)..most {
            let (hot, cold) = (hotkey::<T>(NetUid::ROOT, uid), coldkey::<T>(uid));
            Owner::<T>::insert(&hot, &cold);
            Pallet::<T>::append_slot(NetUid::ROOT, uid);
            Pallet::<T>::occupy_slot(NetUid::ROOT, uid, &hot);
            Pallet::<T>::increase_stake(&hot, &cold, NetUid::ROOT, u64::from(most - uid) * UNIT);
        }
        let (who, hot) = (rich::<T>("registrant", 0), account("new", 0, 0));
        many_hotkeys::<T>(&who);
        Pallet::<T>::increase_stake(&hot, &who, NetUid::ROOT, 1_000 * UNIT);
        #[extrinsic_call]
        _(RawOrigin::Signed(who), hot);
        assert_eq!(SubnetworkN::<T>::get(NetUid::ROOT), most);
    }

    #[benchmark]
    fn decrease_take() {
        subnet::<T>(NET, 256);
        Delegates::<T>::insert(hotkey::<T>(NET, 9), MaxDelegateTake::<T>::get());
        let take = MinDelegateTake::<T>::get();
        #[extrinsic_call]
        _(RawOrigin::Signed(coldkey::<T>(9)), hotkey::<T>(NET, 9), take);
    }

    #[benchmark]
    fn increase_take() {
        subnet::<T>(NET, 256);
        Delegates::<T>::insert(hotkey::<T>(NET, 9), MinDelegateTake::<T>::get());
        let take = MaxDelegateTake::<T>::get();
        #[extrinsic_call]
        _(RawOrigin::Signed(coldkey::<T>(9)), hotkey::<T>(NET, 9), take);
    }

    /// A coldkey with 1 024 hotkeys, of which the last alone is registered; as long an identity as there may be.
    #[benchmark]
    fn set_identity() {
        subnet::<T>(NET, 256);
        let who = coldkey::<T>(9);
        many_hotkeys::<T>(&who);
        OwnedHotkeys::<T>::append(&who, hotkey::<T>(NET, 9));
        let (short, long) = (text(256), text(1_024));
        let fields = (
            short.clone(),
            short.clone(),
            short.clone(),
            long.clone(),
            short,
            long.clone(),
            long,
        );
        #[extrinsic_call]
        _(
            RawOrigin::Signed(who),
            fields.0,
            fields.1,
            fields.2,
            fields.3,
            fields.4,
            fields.5,
            fields.6,
        );
    }

    #[benchmark]
    fn set_subnet_identity() {
        subnet::<T>(NET, 256);
        let identity = long_identity();
        #[block]
        {
            Pallet::<T>::do_set_subnet_identity(coldkey::<T>(0), NET, identity).expect("the owner says it");
        }
    }

    /// A coldkey with stake on `s` subnets.
    #[benchmark]
    fn unstake_all(s: Linear<1, 128>) {
        let (who, hot) = staked_everywhere::<T>(s);
        #[extrinsic_call]
        _(RawOrigin::Signed(who), hot);
    }

    /// A coldkey with stake on `s` subnets.
    #[benchmark]
    fn unstake_all_alpha(s: Linear<1, 128>) {
        let (who, hot) = staked_everywhere::<T>(s);
        many_hotkeys::<T>(&who);
        #[extrinsic_call]
        _(RawOrigin::Signed(who), hot);
    }

    #[benchmark]
    fn try_associate_hotkey() {
        let who = rich::<T>("registrant", 0);
        many_hotkeys::<T>(&who);
        #[extrinsic_call]
        _(RawOrigin::Signed(who), account("new", 0, 0));
    }

    #[benchmark]
    fn remove_stake_full_limit() {
        subnet::<T>(NET, 256);
        #[extrinsic_call]
        _(
            RawOrigin::Signed(coldkey::<T>(9)),
            hotkey::<T>(NET, 9),
            NET,
            Some(UNIT / 2),
        );
    }

    #[benchmark]
    fn set_tempo() {
        subnet::<T>(NET, 256);
        #[extrinsic_call]
        _(RawOrigin::Signed(coldkey::<T>(0)), NET, 720);
    }

    #[benchmark]
    fn set_activity_cutoff_factor() {
        subnet::<T>(NET, 256);
        #[extrinsic_call]
        _(RawOrigin::Signed(coldkey::<T>(0)), NET, 2_000);
    }

    #[benchmark]
    fn trigger_epoch() {
        subnet::<T>(NET, 256);
        #[extrinsic_call]
        _(RawOrigin::Signed(coldkey::<T>(0)), NET);
    }

    /// A chain with `s` other subnets, whose symbols differ.
    #[benchmark]
    fn update_symbol(s: Linear<0, 127>) {
        subnet::<T>(NET, 1);
        for netuid in (0..s as u16).map(|at| NetUid(at + 3)) {
            subnet::<T>(netuid, 1);
            TokenSymbol::<T>::insert(netuid, netuid.0.to_be_bytes().to_vec());
        }
        #[extrinsic_call]
        _(RawOrigin::Signed(coldkey::<T>(0)), NET, text(3));
    }

    #[benchmark]
    fn set_coldkey_auto_stake_hotkey() {
        subnet::<T>(NET, 256);
        #[extrinsic_call]
        _(RawOrigin::Signed(coldkey::<T>(9)), NET, hotkey::<T>(NET, 10));
    }

    /// The tenth open commit.
    #[benchmark]
    fn commit_weights() {
        subnet::<T>(NET, 256);
        let who = hotkey::<T>(NET, 0);
        open_commits::<T>(&who, T::Hash::default());
        WeightCommits::<T>::mutate(NetUidStorageIndex::new(NET, MechId::MAIN), &who, |commits| {
            if let Some(commits) = commits {
                commits.pop();
            }
        });
        #[extrinsic_call]
        _(RawOrigin::Signed(who), NET, T::Hash::default());
    }

    /// The tenth open commit: a row of `w` weights under a salt of `s` numbers.
    #[benchmark]
    fn reveal_weights(w: Linear<1, 256>, s: Linear<0, 256>) {
        subnet::<T>(NET, 256);
        let who = hotkey::<T>(NET, 0);
        let (uids, values) = uids_and_values(w as u16);
        let salt = vec![7u16; s as usize];
        open_commits::<T>(&who, commit_of::<T>(&who, &uids, &values, &salt));
        #[extrinsic_call]
        _(RawOrigin::Signed(who), NET, uids, values, salt, 0);
    }

    /// `b` commits, each a row of 256 weights under a salt of 8 numbers.
    #[benchmark]
    fn batch_reveal_weights(b: Linear<1, 10>) {
        subnet::<T>(NET, 256);
        let who = hotkey::<T>(NET, 0);
        let (uids, values) = uids_and_values(256);
        let salts: Vec<Vec<u16>> = (0..b as u16).map(|salt| vec![salt; 8]).collect();
        open_commits::<T>(&who, T::Hash::default());
        let index = NetUidStorageIndex::new(NET, MechId::MAIN);
        WeightCommits::<T>::mutate(index, &who, |commits| {
            let places = commits.iter_mut().flatten();
            for (place, salt) in places.zip(&salts) {
                place.0 = commit_of::<T>(&who, &uids, &values, salt);
            }
        });
        let (uids, values) = (vec![uids; b as usize], vec![values; b as usize]);
        #[extrinsic_call]
        _(
            RawOrigin::Signed(who),
            NET,
            uids,
            values,
            salts,
            vec![0; b as usize],
        );
    }

    /// A ciphertext of `c` bytes behind 1 MiB of others.
    #[benchmark]
    fn commit_timelocked_weights(c: Linear<1, 5_000>) {
        subnet::<T>(NET, 256);
        let commit = full_queue::<T>(c);
        let (round, version) = (T::Beacon::last_round(), CommitRevealWeightsVersion::<T>::get());
        #[extrinsic_call]
        _(
            RawOrigin::Signed(hotkey::<T>(NET, 0)),
            NET,
            commit,
            round,
            version,
        );
    }

    /// 1 MiB of commits that are due, of which none has its pulse.
    #[benchmark]
    fn keep_timelocked() {
        subnet::<T>(NET, 256);
        let waiting = due_queue::<T>(0);
        #[block]
        {
            assert_eq!(Pallet::<T>::reveal_mechanism(NET, MechId::MAIN, 16), 0);
        }
        assert_eq!(queued::<T>(), waiting);
    }

    /// `o` commits open to rows of 256 weights behind 1 MiB that stays.
    #[benchmark]
    fn open_timelocked(o: Linear<1, 16>) {
        subnet::<T>(NET, 256);
        let waiting = due_queue::<T>(o as u16);
        #[block]
        {
            assert_eq!(Pallet::<T>::reveal_mechanism(NET, MechId::MAIN, o), o);
        }
        assert_eq!(queued::<T>(), waiting);
        let index = NetUidStorageIndex::new(NET, MechId::MAIN);
        assert_eq!(Weights::<T>::get(index, o as u16 - 1).len(), 256);
    }

    /// The beginning of a block with `s` subnets of which none has an epoch.
    #[benchmark]
    fn begin_block(s: Linear<0, 128>) {
        for netuid in 0..s as u16 {
            subnet::<T>(NetUid(netuid + 2), 1);
            SubnetEmissionEnabled::<T>::insert(NetUid(netuid + 2), true);
            SubnetMovingPrice::<T>::insert(NetUid(netuid + 2), FixedI128 { bits: 1 << 32 });
        }
        #[block]
        {
            Pallet::<T>::begin_block();
        }
        assert!((0..s as u16).all(|netuid| SubnetEpochIndex::<T>::get(NetUid(netuid + 2)) == 0));
    }

    /// An epoch of `n` neurons, all of which earn by the one row of the owner.
    #[benchmark]
    fn epoch_neurons(n: Linear<1, 256>) {
        subnet::<T>(NET, n as u16);
        full_rows::<T>(NET, 1);
        CommitRevealWeightsEnabled::<T>::insert(NET, true);
        pendings::<T>(NET);
        #[block]
        {
            Pallet::<T>::run_epoch(NET);
        }
        assert_eq!(LastMechansimStepBlock::<T>::get(NET), u64::from(NOW));
    }

    /// An epoch of 256 neurons with `r` full rows of weights and bonds.
    #[benchmark]
    fn epoch_rows(r: Linear<1, 256>) {
        subnet::<T>(NET, 256);
        full_rows::<T>(NET, r as u16);
        CommitRevealWeightsEnabled::<T>::insert(NET, true);
        pendings::<T>(NET);
        #[block]
        {
            Pallet::<T>::run_epoch(NET);
        }
        assert_eq!(LastMechansimStepBlock::<T>::get(NET), u64::from(NOW));
    }

    /// The same with liquid alpha and a partial bonds penalty, which cost the most.
    #[benchmark]
    fn epoch_liquid_rows(r: Linear<1, 256>) {
        subnet::<T>(NET, 256);
        full_rows::<T>(NET, r as u16);
        LiquidAlphaOn::<T>::insert(NET, true);
        BondsPenalty::<T>::insert(NET, 30_000);
        CommitRevealWeightsEnabled::<T>::insert(NET, true);
        pendings::<T>(NET);
        #[block]
        {
            Pallet::<T>::run_epoch(NET);
        }
        assert_eq!(LastMechansimStepBlock::<T>::get(NET), u64::from(NOW));
    }
}
