//! How long the store waits for PostgreSQL (key ring contract, section 12).

use std::time::Duration;

/// For a connection, its handshake included.
pub(super) const CONNECT: Duration = Duration::from_secs(3);
/// For octets that were sent to be acknowledged.
pub(super) const TCP_USER: Duration = Duration::from_secs(5);
/// For a statement, told to the server and held by us.
pub(super) const STATEMENT: Duration = Duration::from_secs(5);
/// For a lock of the database, in a statement.
pub(super) const LOCK: Duration = Duration::from_secs(2);
/// For our own next statement in an open transaction: what bounds X.
pub(super) const IDLE_IN_TRANSACTION: Duration = Duration::from_secs(10);
/// For a connection of the pool to become free.
pub(super) const POOL: Duration = Duration::from_secs(1);
/// For which nobody tries again, once the database did not answer.
pub(super) const BREAKER: Duration = Duration::from_secs(2);

/// Connections that are open at once.
pub(super) const CONNECTIONS_MAX: usize = 8;
