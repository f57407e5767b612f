use super::mock::*;
use crate::*;

#[test]
fn genesis_makes_root_and_the_subnets_when_they_are_named() {
    on_chain(|| {
        assert!(NetworksAdded::<Test>::get(NetUid::ROOT) && NetworksAdded::<Test>::get(NET));
        assert_eq!(TotalNetworks::<Test>::get(), 2);
        assert_eq!(Uids::<Test>::get(NET, OWNER_HOTKEY), Some(0));
        assert_eq!(TotalIssuance::<Test>::get(), 9 * 10_000 * TAO + 10_000 * TAO);
        assert_eq!(FirstEmissionBlockNumber::<Test>::get(NET), Some(1));
        check_books();
    });
}

#[test]
fn genesis_refuses_a_field_that_it_does_not_know() {
    let read = |text: &str| serde_json::from_str::<crate::GenesisConfig<Test>>(text);
    let known = r#"{"subnets": [{"netuid": 1, "ownerColdkey": 1, "ownerHotkey": 2, "tempo": 10}]}"#;
    assert_eq!(
        read(known).expect("all fields are known").subnets[0].tempo,
        Some(10)
    );
    assert!(read("{}").expect("nothing is required").subnets.is_empty());
    assert!(read(&known.replace("tempo", "tmpo")).is_err());
    assert!(read(r#"{"subnetz": []}"#).is_err());
}
