//! One end of a connection: a real quinn-proto endpoint, driven as the engine's loop drives it.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::{Bytes, BytesMut};
use congestion::{Bbr, Pacer};
use quinn_proto::{
    AckFrequencyConfig, ClientConfig, Connection, ConnectionHandle, DatagramEvent, Dir, EcnCodepoint,
    Endpoint, EndpointConfig, Event, ServerConfig, StreamEvent, StreamId, TransportConfig, VarInt,
    congestion::ControllerFactory,
};

use super::crypto::Plain;

const ADDRESS: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1)), 443);
static ZEROS: [u8; 65536] = [0; 65536];
/// Datagrams of one `poll_transmit`, as segmentation offload takes them.
const SEGMENTS: usize = 44;

/// What the application at this end sends.
#[derive(Clone, Copy, Debug)]
pub enum App {
    /// Nothing: it reads.
    Sink,
    /// All that the connection takes.
    Bulk,
    /// So many bytes, again and again after so much time.
    Chunks(usize, Duration),
}

#[derive(Clone)]
pub struct Options {
    pub factory: Arc<dyn ControllerFactory + Send + Sync>,
    pub paced: bool,
    pub window: u32,
    /// A loop that wakes for its timers only at multiples of this; zero for exactly.
    pub tick: Duration,
    pub seed: u64,
    /// Packets that are acknowledged together (ACK_FREQUENCY), 0 for the default of two.
    pub ack_every: u32,
}

pub struct Datagram {
    pub data: BytesMut,
    pub ecn: Option<EcnCodepoint>,
}

pub struct End {
    base: Instant,
    endpoint: Endpoint,
    connection: Option<(ConnectionHandle, Connection)>,
    pacer: Pacer,
    options: Options,
    pub app: App,
    stream: Option<StreamId>,
    due: usize,
    next_chunk: Duration,
    pub wake: Option<Duration>,
    pub received: u64,
    /// Transmissions and datagrams in them.
    pub batches: u64,
    pub datagrams: u64,
    pub closed: bool,
}

fn transport(options: &Options) -> Arc<TransportConfig> {
    let mut config = TransportConfig::default();
    config
        .congestion_controller_factory(options.factory.clone())
        .stream_receive_window(options.window.into())
        .receive_window(VarInt::MAX)
        .send_window(options.window.into());
    if options.ack_every > 0 {
        let mut frequency = AckFrequencyConfig::default();
        frequency.ack_eliciting_threshold(options.ack_every.into());
        config.ack_frequency_config(Some(frequency));
    }
    Arc::new(config)
}

impl End {
    pub fn new(base: Instant, options: Options, app: App, server: bool) -> Self {
        let mut config = EndpointConfig::new(Arc::new(Plain));
        config
            .grease_quic_bit(false)
            .rng_seed(Some([options.seed as u8; 32]));
        let mut server_config = None;
        if server {
            let mut config = ServerConfig::new(Arc::new(Plain), Arc::new(Plain));
            config.transport_config(transport(&options));
            server_config = Some(Arc::new(config));
        }
        Self {
            base,
            endpoint: Endpoint::new(
                Arc::new(config),
                server_config,
                true,
                Some([options.seed as u8; 32]),
            ),
            connection: None,
            pacer: Pacer::new(),
            options,
            app,
            stream: None,
            due: 0,
            next_chunk: Duration::ZERO,
            wake: None,
            received: 0,
            batches: 0,
            datagrams: 0,
            closed: false,
        }
    }

    pub fn connect(&mut self, now: Duration) {
        let mut config = ClientConfig::new(Arc::new(Plain));
        config.transport_config(transport(&self.options));
        let opened = self.endpoint.connect(self.base + now, config, ADDRESS, "exit");
        self.connection = Some(opened.expect("a connection"));
    }

    pub fn connection(&mut self) -> &mut Connection {
        &mut self.connection.as_mut().expect("connected").1
    }

    pub fn bbr(&mut self) -> Bbr {
        let state = self.connection().congestion_state().clone_box().into_any();
        *state.downcast().expect("BBR")
    }

    pub fn handle(&mut self, now: Duration, datagram: Datagram) {
        let (now, mut answer) = (self.base + now, Vec::new());
        match self
            .endpoint
            .handle(now, ADDRESS, None, datagram.ecn, datagram.data, &mut answer)
        {
            Some(DatagramEvent::ConnectionEvent(_, event)) => self.connection().handle_event(event),
            Some(DatagramEvent::NewConnection(incoming)) => {
                let accepted = self.endpoint.accept(incoming, now, &mut answer, None);
                self.connection = Some(accepted.unwrap_or_else(|error| panic!("{}", error.cause)));
            }
            _ => {}
        }
    }

    /// Does what is due at `now`; what it sends goes to `out`, and `wake` is when it wants to be
    /// driven again.
    pub fn drive(&mut self, now: Duration, out: &mut Vec<Datagram>) {
        let at = self.base + now;
        let Some((handle, connection)) = &mut self.connection else {
            return;
        };
        if connection.poll_timeout().is_some_and(|due| due <= at) {
            connection.handle_timeout(at);
        }
        while let Some(event) = connection.poll_endpoint_events() {
            if let Some(event) = self.endpoint.handle_event(*handle, event) {
                connection.handle_event(event);
            }
        }
        self.poll_events();
        self.write(now);
        let paced = self.transmit(at, out);
        self.wake = self.next_wake(paced);
    }

    fn poll_events(&mut self) {
        let Some((_, connection)) = &mut self.connection else {
            return;
        };
        while let Some(event) = connection.poll() {
            match event {
                Event::Connected if !matches!(self.app, App::Sink) => {
                    self.stream = connection.streams().open(Dir::Bi);
                }
                Event::Stream(StreamEvent::Opened { dir }) => {
                    while let Some(id) = connection.streams().accept(dir) {
                        self.received += read(connection, id);
                    }
                }
                Event::Stream(StreamEvent::Readable { id }) => self.received += read(connection, id),
                Event::ConnectionLost { reason } => {
                    assert!(self.closed, "the connection was lost: {reason}");
                }
                _ => {}
            }
        }
    }

    fn write(&mut self, now: Duration) {
        let (Some((_, connection)), Some(id)) = (&mut self.connection, self.stream) else {
            return;
        };
        match self.app {
            App::Sink => return,
            App::Bulk => self.due = usize::MAX,
            App::Chunks(bytes, every) => {
                if now >= self.next_chunk {
                    self.due += bytes;
                    self.next_chunk = now + every;
                }
            }
        }
        while self.due > 0 {
            let chunk = Bytes::from_static(&ZEROS[..self.due.min(ZEROS.len())]);
            match connection.send_stream(id).write_chunks(&mut [chunk]) {
                Ok(written) => self.due -= written.bytes,
                Err(_) => break,
            }
        }
        if matches!(self.app, App::Bulk) {
            self.due = 0;
        }
    }

    /// Sends what window and pacer let; returns when the pacer lets more.
    fn transmit(&mut self, at: Instant, out: &mut Vec<Datagram>) -> Option<Instant> {
        let (_, connection) = self.connection.as_mut()?;
        let mut buffer = Vec::new();
        loop {
            let mut segments = SEGMENTS;
            if self.options.paced {
                let metrics = connection.congestion_state().metrics();
                match self.pacer.poll(at, &metrics, connection.current_mtu()) {
                    Ok(datagrams) => segments = segments.min(datagrams),
                    Err(next) => return Some(next),
                }
            }
            buffer.clear();
            let transmit = connection.poll_transmit(at, segments, &mut buffer)?;
            if self.options.paced {
                self.pacer.on_sent(at, transmit.size);
            }
            self.batches += 1;
            for data in buffer.chunks(transmit.segment_size.unwrap_or(transmit.size).max(1)) {
                self.datagrams += 1;
                out.push(Datagram {
                    data: data.into(),
                    ecn: transmit.ecn,
                });
            }
        }
    }

    fn next_wake(&mut self, paced: Option<Instant>) -> Option<Duration> {
        let timeout = self.connection().poll_timeout();
        let chunks = self.stream.is_some() && matches!(self.app, App::Chunks(..));
        let chunk = chunks.then(|| self.base + self.next_chunk);
        let next = [paced, timeout, chunk].into_iter().flatten().min()?;
        let next = next.saturating_duration_since(self.base);
        let tick = self.options.tick.as_nanos().max(1);
        Some(Duration::from_nanos(
            u64::try_from(next.as_nanos().div_ceil(tick) * tick).expect("a short run"),
        ))
    }
}

fn read(connection: &mut Connection, id: StreamId) -> u64 {
    let mut received = 0;
    let mut stream = connection.recv_stream(id);
    let Ok(mut chunks) = stream.read(true) else {
        return 0;
    };
    while let Ok(Some(chunk)) = chunks.next(usize::MAX) {
        received += chunk.bytes.len() as u64;
    }
    let _ = chunks.finalize();
    received
}
