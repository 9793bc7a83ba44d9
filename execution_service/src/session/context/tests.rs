//! Which context a run gets, and when there is none.

use super::*;
use crate::execution::sample::{LIMITS, toolchains};
use crate::language::bash::BASH;
use crate::language::python::PYTHON;
use crate::sandbox::fake::FakeBackend;
use crate::session::tests::sandbox;

fn new(id: impl Into<String>, language: Language) -> NewContext {
    NewContext { id: id.into(), language, env: BTreeMap::new(), directory: None }
}

#[tokio::test]
async fn the_default_context_of_a_language_is_made_once_when_it_is_asked_for() {
    let backend = FakeBackend::of_kernels();
    let sandbox = sandbox(&backend).await;
    let contexts = Contexts::new("s", None, toolchains(&[PYTHON], &[]));
    assert!(contexts.all().is_empty());
    let python = contexts.find("", PYTHON, &sandbox).expect("it is made");
    assert_eq!((&*python.id, python.language), ("ctx_defaultpython", PYTHON));
    let bash = contexts.find("", BASH, &sandbox).expect("it is made");
    let again = contexts.find("", PYTHON, &sandbox).expect("it is there");
    assert!(Arc::ptr_eq(&python, &again), "state is found where it was left");
    let by_name = contexts.find("ctx_defaultpython", PYTHON, &sandbox).expect("it is there");
    assert!(Arc::ptr_eq(&python, &by_name));
    let ids: Vec<_> = contexts.all().iter().map(|context| context.id.clone()).collect();
    assert_eq!(ids, ["ctx_defaultpython", "ctx_defaultbash"], "in their order");
    assert_ne!(python.key, bash.key, "they do not take turns with each other");
    let elsewhere = Contexts::new("t", None, toolchains(&[PYTHON], &[]))
        .find("", PYTHON, &sandbox)
        .expect("it is made");
    assert_ne!(python.key, elsewhere.key, "nor with those of another session");
}

#[tokio::test]
async fn a_context_is_found_by_its_id_and_runs_its_own_language_only() {
    let backend = FakeBackend::of_kernels();
    let sandbox = sandbox(&backend).await;
    let contexts = Contexts::new("s", None, toolchains(&[PYTHON], &[]));
    let missing = contexts.find("plots", PYTHON, &sandbox).map(|context| context.id.clone());
    assert_eq!(missing, Err(ContextError::NotFound), "only default ones come by themselves");
    let env = BTreeMap::from([(String::from("K"), String::from("v"))]);
    let made = contexts
        .create(NewContext { env: env.clone(), ..new("plots", PYTHON) }, &sandbox)
        .expect("room");
    assert_eq!(
        (made.env.clone(), made.has_kernel(), made.state()),
        (env, false, ContextState::New)
    );
    let found = contexts.find("plots", PYTHON, &sandbox).expect("it is there");
    assert!(Arc::ptr_eq(&made, &found));
    let error = |made: Result<Arc<Context>, ContextError>| made.map(|made| made.id.clone());
    assert_eq!(
        error(contexts.find("plots", BASH, &sandbox)),
        Err(ContextError::LanguageMismatch(PYTHON))
    );
    assert_eq!(error(contexts.create(new("plots", BASH), &sandbox)), Err(ContextError::Exists));
    assert_eq!(contexts.all().len(), 1);
}

#[tokio::test]
async fn a_session_has_so_many_and_default_ones_count() {
    let backend = FakeBackend::of_kernels();
    let sandbox = sandbox(&backend).await;
    let contexts = Contexts::new("s", None, toolchains(&[PYTHON], &[]));
    contexts.find("", PYTHON, &sandbox).expect("room");
    for number in 1..MOST {
        contexts.create(new(number.to_string(), PYTHON), &sandbox).expect("room");
    }
    let error = |made: Result<Arc<Context>, ContextError>| made.map(|made| made.id.clone());
    let one_more = contexts.create(new("more", PYTHON), &sandbox);
    assert_eq!(error(one_more), Err(ContextError::TooMany));
    assert_eq!(error(contexts.find("", BASH, &sandbox)), Err(ContextError::TooMany));
    assert!(contexts.find("", PYTHON, &sandbox).is_ok(), "what there is can be used");
    assert_eq!(contexts.all().len(), MOST);
}

#[tokio::test]
async fn a_kernel_is_known_as_soon_as_it_is_noted() {
    let backend = FakeBackend::of_kernels();
    let toolchains = toolchains(&[PYTHON], &[]);
    let started = Runner::start(&*backend, PYTHON, &toolchains, LIMITS.sandbox).await;
    let contexts = Contexts::new("s", Some((PYTHON, started.expect("a kernel"))), toolchains);
    let context = contexts.all().pop().expect("the first one");
    assert_eq!(contexts.kernels(), 1, "it came with one");
    let process = context.runner.lock().await.kernel.as_ref().map(|kernel| kernel.process.id);
    assert_eq!(context.kernel(), process);
    {
        let mut runner = context.runner.lock().await;
        assert_eq!(context.state(), ContextState::Busy);
        runner.kernel = None;
        assert_eq!(context.kernel(), process, "as it was noted last");
        context.note_kernel(&runner);
    }
    assert!(context.state() == ContextState::New && !context.has_kernel());
    assert_eq!(contexts.kernels(), 0);
}
