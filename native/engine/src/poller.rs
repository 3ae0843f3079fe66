//! One thread for the whole process, which waits for all sockets and deadlines and only says whose turn it is.
//!
//! A socket waits once for each [`Registration::wait`]: while its owner works nothing wakes this thread for it.

use std::collections::{BTreeSet, HashMap};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Instant;

use polling::{AsSource, Event, Events};

/// Called on the poller's thread: must be short and must not panic.
pub type Wake = Arc<dyn Fn() + Send + Sync>;

/// What to wait for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Interest {
    /// Wake when there is something to read.
    pub readable: bool,
    /// Wake when the socket can take more.
    pub writable: bool,
    /// Wake then at the latest.
    pub deadline: Option<Instant>,
}

impl Interest {
    /// Something to read, whenever it comes.
    pub const READABLE: Self = Self {
        readable: true,
        writable: false,
        deadline: None,
    };
}

struct Shared {
    poller: polling::Poller,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    next_key: usize,
    sources: HashMap<usize, Source>,
    deadlines: BTreeSet<(Instant, usize)>,
    /// Until when the thread sleeps.
    sleeps_until: Option<Instant>,
    /// Whether it sleeps at all.
    asleep: bool,
}

struct Source {
    wake: Wake,
    deadline: Option<Instant>,
    /// Whether the system is watching for something to read, and for room to write.
    watched: (bool, bool),
}

static POLLER: Mutex<Option<Arc<Shared>>> = Mutex::new(None);

/// A socket's place at the poller, given up when dropped. It must be dropped before the socket.
pub struct Registration<S: AsSource> {
    shared: Arc<Shared>,
    socket: Arc<S>,
    key: usize,
}

impl<S: AsSource> Registration<S> {
    /// Registers a socket; the thread is started with the first.
    pub fn new(socket: &Arc<S>, wake: Wake) -> io::Result<Self> {
        let shared = shared()?;
        let socket = socket.clone();
        let key = {
            let mut state = shared.lock();
            let key = state.next_key;
            state.next_key = key.wrapping_add(1) % (usize::MAX - 1);
            state.sources.insert(
                key,
                Source {
                    wake,
                    deadline: None,
                    watched: (false, false),
                },
            );
            key
        };
        // SAFETY: the poller must not outlive the socket that it watches. The registration owns a handle of the
        // socket's own and takes it from the poller in `drop`, before that handle is closed.
        #[allow(unsafe_code)]
        let added = unsafe { shared.poller.add(&socket.source(), Event::none(key)) };
        let registration = Self { shared, socket, key };
        added.map(|()| registration)
    }

    /// Waits once for the socket to be readable, and for what else is asked.
    pub fn wait(&self, interest: Interest) {
        let wanted = (interest.readable, interest.writable);
        let mut state = self.shared.lock();
        let state = &mut *state;
        let Some(source) = state.sources.get_mut(&self.key) else {
            return;
        };
        if source.deadline != interest.deadline {
            if let Some(old) = source.deadline {
                state.deadlines.remove(&(old, self.key));
            }
            if let Some(new) = interest.deadline {
                state.deadlines.insert((new, self.key));
            }
            source.deadline = interest.deadline;
        }
        if source.watched != wanted {
            let event = Event::new(self.key, interest.readable, interest.writable);
            if self.shared.poller.modify(self.socket.source(), event).is_ok() {
                source.watched = wanted;
            }
        }
        let sooner = match (interest.deadline, state.sleeps_until) {
            (Some(new), Some(old)) => new < old,
            (Some(_), None) => true,
            _ => false,
        };
        if state.asleep && sooner {
            let _ = self.shared.poller.notify();
        }
    }
}

impl<S: AsSource> Drop for Registration<S> {
    fn drop(&mut self) {
        let _ = self.shared.poller.delete(self.socket.source());
        let mut state = self.shared.lock();
        let Some(source) = state.sources.remove(&self.key) else {
            return;
        };
        if let Some(deadline) = source.deadline {
            state.deadlines.remove(&(deadline, self.key));
        }
        // `source.wake` may take locks of its own when it is dropped: not under ours.
        drop(state);
    }
}

impl Shared {
    /// Whoever panicked while holding it left nothing half done that would matter: the state is used on.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self) {
        let mut events = Events::new();
        let mut woken = Vec::new();
        loop {
            // Whatever happens in one round, the sockets of all others must be waited for.
            let _ = catch_unwind(AssertUnwindSafe(|| self.round(&mut events, &mut woken)));
        }
    }

    fn round(&self, events: &mut Events, woken: &mut Vec<Wake>) {
        let until = {
            let mut state = self.lock();
            state.sleeps_until = state.deadlines.first().map(|(deadline, _)| *deadline);
            state.asleep = true;
            state.sleeps_until
        };
        events.clear();
        let timeout = until.map(|at| at.saturating_duration_since(Instant::now()));
        // An error here (interrupted, say) is looked at again in the next round.
        let waited = self.poller.wait(events, timeout);
        {
            let mut state = self.lock();
            state.asleep = false;
            for event in events.iter() {
                if let Some(source) = state.sources.get_mut(&event.key) {
                    source.watched = (false, false);
                    woken.push(source.wake.clone());
                }
            }
            state.expire(Instant::now(), woken);
        }
        for wake in woken.drain(..) {
            wake();
        }
        if waited.is_err() {
            thread::yield_now();
        }
    }
}

impl State {
    fn expire(&mut self, now: Instant, woken: &mut Vec<Wake>) {
        while let Some((deadline, key)) = self.deadlines.first().copied() {
            if deadline > now {
                return;
            }
            self.deadlines.pop_first();
            if let Some(source) = self.sources.get_mut(&key) {
                source.deadline = None;
                woken.push(source.wake.clone());
            }
        }
    }
}

fn shared() -> io::Result<Arc<Shared>> {
    let mut place = POLLER.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(shared) = &*place {
        return Ok(shared.clone());
    }
    let shared = Arc::new(Shared {
        poller: polling::Poller::new()?,
        state: Mutex::default(),
    });
    let runner = shared.clone();
    thread::Builder::new()
        .name("quic-poller".into())
        .spawn(move || runner.run())?;
    *place = Some(shared.clone());
    Ok(shared)
}
