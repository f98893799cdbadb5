//! What a commit, a leaf or a genesis may not bring along.

use openmls::prelude::{
    CustomProposal, ExtensionType, MlsGroupCreateConfig, PURE_PLAINTEXT_WIRE_FORMAT_POLICY,
    PreSharedKeyProposal, Proposal, UnknownExtension,
};
use openmls::schedule::PreSharedKeyId;
use openmls::treesync::LeafNodeParameters as Leaf;

use super::*;

#[test]
fn a_pre_shared_key_is_refused_even_by_who_holds_it() {
    let Pair { mut alice, mut bob, a, b, .. } = pair();
    let id = PreSharedKeyId::external(b"ours".to_vec(), vec![7; 32]);
    let with_key = |state: &EpochState, who: &mut Person| {
        let provider = Provider::new(&state.records, Secret::random(&mut who.rng));
        id.store(&provider, b"a secret of theirs").unwrap();
        EpochState::snapshot(GROUP, &provider)
    };
    let (a, fed) = (with_key(&a, &mut alice), with_key(&b, &mut bob));
    let message = insider(&a, &mut alice, true, |mls, provider, signer| {
        let proposal = Proposal::PreSharedKey(Box::new(PreSharedKeyProposal::new(id.clone())));
        let built = mls.commit_builder().add_proposal(proposal).force_self_update(true);
        let built = built.load_psks(provider.storage()).unwrap();
        let built = built.build(provider.rand(), provider.crypto(), signer, |_| true).unwrap();
        built.stage_commit(provider).unwrap().into_commit().tls_serialize_detached().unwrap()
    });
    let expected = expected(&alice, &[], &[], &[&alice, &bob]);
    assert_eq!(fed.apply(&E1, &message, &expected).err(), Some(SealError::Proposal));
    assert!(b.apply(&E1, &message, &expected).is_err());
}

#[test]
fn no_state_keeps_secrets_of_past_epochs_or_for_resumption() {
    let Pair { a, b, .. } = pair();
    for state in [a, b] {
        let kept: Vec<String> =
            state.records.values().map(|value| String::from_utf8_lossy(value).into_owned()).collect();
        let says = |setting: &str| kept.iter().any(|value| value.contains(setting));
        assert!(says(r#""number_of_resumption_psks":0"#));
        assert!(says(r#""max_epochs":0"#) || says(r#""max_past_epochs":0"#), "{kept:#?}");
    }
}

#[test]
fn a_proposal_of_a_kind_of_ones_own_is_refused() {
    let Pair { mut alice, bob, a, b, .. } = pair();
    let message = insider(&a, &mut alice, true, |mls, provider, signer| {
        let proposal = Proposal::Custom(Box::new(CustomProposal::new(0xf00d, vec![1])));
        let built = mls.commit_builder().add_proposal(proposal).force_self_update(true);
        let built = built.load_psks(provider.storage()).unwrap();
        match built.build(provider.rand(), provider.crypto(), signer, |_| true) {
            Ok(built) => {
                built.stage_commit(provider).unwrap().into_commit().tls_serialize_detached().unwrap()
            }
            Err(_) => mls
                .propose_custom_proposal_by_value(provider, signer, CustomProposal::new(0xf00d, vec![1]))
                .map(|(message, _)| message.tls_serialize_detached().unwrap())
                .unwrap_or_default(),
        }
    });
    assert!(b.apply(&E1, &message, &expected(&alice, &[], &[], &[&alice, &bob])).is_err());
}

#[test]
fn a_commit_that_changes_its_leafs_key_is_refused() {
    let Pair { mut alice, bob, a, b, .. } = pair();
    let mallory = person(9);
    for credential in [alice.device(), mallory.device()] {
        let message = insider(&a, &mut alice, true, |mls, provider, signer| {
            let other = DeviceSigner(&mallory.key);
            let credential_with_key = CredentialWithKey {
                credential: BasicCredential::new(credential.as_bytes().to_vec()).into(),
                signature_key: SignaturePublicKey::from(mallory.device().as_bytes().to_vec()),
            };
            let bundle = openmls::prelude::NewSignerBundle { signer: &other, credential_with_key };
            let built = mls.commit_builder().load_psks(provider.storage()).unwrap();
            let built = built
                .build_with_new_signer(provider.rand(), provider.crypto(), signer, bundle, |_| true)
                .unwrap();
            built.stage_commit(provider).unwrap().into_commit().tls_serialize_detached().unwrap()
        });
        let refused = b.apply(&E1, &message, &expected(&alice, &[], &[], &[&alice, &bob, &mallory])).err();
        assert_eq!(refused, Some(SealError::Path));
    }
}

/// A commit whose leaf carries so many bytes.
fn laden(state: &EpochState, who: &mut Person, weight: usize) -> Vec<u8> {
    insider(state, who, true, |mls, provider, signer| {
        let capabilities = openmls::prelude::Capabilities::builder()
            .ciphersuites(vec![Suite::Classical.mls()])
            .extensions(vec![ExtensionType::Unknown(0xf00d)])
            .build();
        let load = Extension::Unknown(0xf00d, UnknownExtension(vec![1; weight]));
        let extensions = Extensions::single(load).unwrap();
        let leaf = Leaf::builder().with_capabilities(capabilities).with_extensions(extensions).build();
        let built = mls.commit_builder().leaf_node_parameters(leaf).force_self_update(true);
        let built = built.load_psks(provider.storage()).unwrap();
        let built = built.build(provider.rand(), provider.crypto(), signer, |_| true).unwrap();
        built.stage_commit(provider).unwrap().into_commit().tls_serialize_detached().unwrap()
    })
}

#[test]
fn a_leaf_that_carries_something_is_refused() {
    let Pair { mut alice, bob, a, b, .. } = pair();
    let message = laden(&a, &mut alice, 40_000);
    let refused = b.apply(&E1, &message, &expected(&alice, &[], &[], &[&alice, &bob])).err();
    assert_eq!(refused, Some(SealError::Path));
}

/// A key package that says its owner can do something else.
fn incapable(owner: &Person, capabilities: openmls::prelude::Capabilities) -> KeyPackage {
    let provider = Provider::new(&provider::Records::new(), Secret::new([5; 32]));
    let built = KeyPackage::builder()
        .key_package_lifetime(key_package::unlimited())
        .leaf_node_capabilities(capabilities)
        .build(
            Suite::Classical.mls(),
            &provider,
            &DeviceSigner(&owner.key),
            key_package::credential(&owner.device()),
        );
    built.unwrap().key_package().clone()
}

#[test]
fn a_key_package_that_no_commit_could_add_is_refused() {
    // Found by fuzzing: valid and signed, it would have stopped every later commit of the group.
    use openmls::prelude::{Capabilities, CredentialType, ProtocolVersion};
    let Pair { mut alice, bob, a, b, .. } = pair();
    let carla = person(3);
    let suites = || Capabilities::builder().ciphersuites(vec![Suite::Classical.mls()]);
    let incapable_ones = [
        Suite::Hybrid.capabilities(),
        Capabilities::builder().ciphersuites(vec![]).build(),
        suites().credentials(vec![CredentialType::X509]).build(),
        suites().versions(vec![ProtocolVersion::Other(7)]).build(),
        suites().extensions(vec![ExtensionType::Unknown(0xf00d)]).build(),
    ];
    for capabilities in incapable_ones {
        let package = incapable(&carla, capabilities.clone());
        let bytes = package.tls_serialize_detached().unwrap();
        let refused = check_key_package(&bytes, &carla.device(), Suite::Classical);
        assert_eq!(refused, Err(SealError::Other), "{capabilities:?}");
    }
    // A founder in league with her can add what MLS lets pass; nobody else believes it.
    let package = incapable(&carla, suites().extensions(vec![ExtensionType::Unknown(0xf00d)]).build());
    let message = insider(&a, &mut alice, true, |mls, provider, signer| {
        let built = mls.commit_builder().propose_adds([package]).force_self_update(true);
        let built = built.load_psks(provider.storage()).unwrap();
        let built = built.build(provider.rand(), provider.crypto(), signer, |_| true).unwrap();
        built.stage_commit(provider).unwrap().into_commit().tls_serialize_detached().unwrap()
    });
    let refused = b.apply(&E1, &message, &expected(&alice, &[&carla], &[], &[&alice, &bob, &carla])).err();
    assert_eq!(refused, Some(SealError::Other));
}

#[test]
fn what_is_no_public_message_or_is_too_long_is_refused_before_it_is_read() {
    let Pair { mut alice, bob, a, b, .. } = pair();
    let expected = expected(&alice, &[], &[], &[&alice, &bob]);
    let info = insider(&a, &mut alice, false, |mls, provider, signer| {
        mls.export_group_info(provider.crypto(), signer, true).unwrap().tls_serialize_detached().unwrap()
    });
    assert_eq!(b.apply(&E1, &info, &expected).err(), Some(SealError::Malformed));
    let long = laden(&a, &mut alice, MAX_MESSAGE);
    assert_eq!(b.apply(&E1, &long, &expected).err(), Some(SealError::Malformed));
    let shorter = laden(&a, &mut alice, MAX_MESSAGE - 2000);
    assert_eq!(b.apply(&E1, &shorter, &expected).err(), Some(SealError::Path));
}

/// A founder's own epoch 0, with what he likes in it.
fn founded(
    alter: impl FnOnce(
        openmls::prelude::MlsGroupCreateConfigBuilder,
    ) -> openmls::prelude::MlsGroupCreateConfigBuilder,
) -> GenesisTree {
    let alice = person(1);
    let provider = Provider::new(&provider::Records::new(), Secret::new([1; 32]));
    let config = MlsGroupCreateConfig::builder()
        .ciphersuite(Suite::Classical.mls())
        .capabilities(Suite::Classical.capabilities())
        .lifetime(key_package::unlimited())
        .wire_format_policy(PURE_PLAINTEXT_WIRE_FORMAT_POLICY)
        .use_ratchet_tree_extension(true);
    let (config, id) = (alter(config).build(), openmls::prelude::GroupId::from_slice(GROUP.as_bytes()));
    let signer = DeviceSigner(&alice.key);
    let credential = key_package::credential(&alice.device());
    let mls = MlsGroup::new_with_group_id(&provider, &signer, &config, id, credential).unwrap();
    let info = mls.export_group_info(provider.crypto(), &signer, false).unwrap();
    GenesisTree {
        group_info: info.tls_serialize_detached().unwrap(),
        tree: mls.export_ratchet_tree().tls_serialize_detached().unwrap(),
    }
}

#[test]
fn a_genesis_with_external_senders_or_a_limited_lifetime_is_refused() {
    let start = |genesis: &GenesisTree| PublicReplay::start(genesis, &GROUP, &person(1).device()).err();
    assert_eq!(start(&founded(|config| config)), None);
    let mallory = ExternalSender::new(
        SignaturePublicKey::from(person(9).device().as_bytes().to_vec()),
        BasicCredential::new(b"mallory".to_vec()).into(),
    );
    let open = founded(|config| {
        let senders = Extension::ExternalSenders(vec![mallory]);
        config.with_group_context_extensions(Extensions::single(senders).unwrap())
    });
    assert_eq!(start(&open), Some(SealError::Context));
    let more = openmls::prelude::Capabilities::builder()
        .ciphersuites(vec![Suite::Classical.mls()])
        .extensions(vec![ExtensionType::Unknown(0xf00d)]);
    let weak = founded(|config| config.capabilities(more.build()));
    assert_eq!(start(&weak), Some(SealError::Other));
    let short = founded(|config| config.lifetime(Lifetime::new(3600)));
    assert_eq!(start(&short), Some(SealError::Lifetime));
}
