//! SOCKS 5 (RFC 1928): connections to a name or an address, without authentication.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::dial::{NoConnection, dial};
use super::gate::Gate;
use super::limits::HEAD;
use super::line::{Purpose, pass_on};
use crate::network::{Destination, Host};

const VERSION: u8 = 5;
const NO_AUTHENTICATION: u8 = 0;
const NONE_ACCEPTABLE: u8 = 0xFF;
const CONNECT: u8 = 1;
const V4: u8 = 1;
const NAME: u8 = 3;
const V6: u8 = 4;

/// The answers of the standard.
#[derive(Clone, Copy)]
enum Reply {
    Succeeded = 0,
    NotAllowed = 2,
    HostUnreachable = 4,
    Refused = 5,
    Expired = 6,
    NoSuchCommand = 7,
    NoSuchAddress = 8,
}

/// Serves one connection.
pub async fn serve(mut program: TcpStream, gate: &Arc<Gate>) -> io::Result<()> {
    let asked = timeout(HEAD, ask(&mut program)).await??;
    let reply = match asked {
        Err(reply) => reply,
        Ok(destination) if gate.allows(&destination, None).is_err() => Reply::NotAllowed,
        Ok(destination) => match dial(gate, &destination, Purpose::Tunnel).await {
            Ok(line) => {
                answer(&mut program, Reply::Succeeded).await?;
                pass_on(program, line).await;
                return Ok(());
            }
            Err(NoConnection::Refused(_)) => Reply::NotAllowed,
            Err(NoConnection::NoName) => Reply::HostUnreachable,
            Err(NoConnection::Silent) => Reply::Expired,
            Err(NoConnection::Failed(_)) => Reply::Refused,
        },
    };
    answer(&mut program, reply).await
}

/// What the program wants to be connected to; or what it is answered instead.
async fn ask(program: &mut TcpStream) -> io::Result<Result<Destination, Reply>> {
    let [version, count] = read(program).await?;
    let mut methods = vec![0; usize::from(count)];
    program.read_exact(&mut methods).await?;
    if version != VERSION || !methods.contains(&NO_AUTHENTICATION) {
        program.write_all(&[VERSION, NONE_ACCEPTABLE]).await?;
        return Err(io::ErrorKind::InvalidData.into());
    }
    program.write_all(&[VERSION, NO_AUTHENTICATION]).await?;
    let [version, command, _reserved, kind] = read(program).await?;
    if version != VERSION {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let host = match kind {
        V4 => Some(Host::Address(Ipv4Addr::from(read::<4>(program).await?).into())),
        V6 => Some(Host::Address(Ipv6Addr::from(read::<16>(program).await?).into())),
        NAME => {
            let [length] = read(program).await?;
            let mut name = vec![0; usize::from(length)];
            program.read_exact(&mut name).await?;
            std::str::from_utf8(&name).ok().and_then(|name| Host::parse(name).ok())
        }
        _ => return Ok(Err(Reply::NoSuchAddress)),
    };
    let port = u16::from_be_bytes(read(program).await?);
    Ok(match host {
        _ if command != CONNECT => Err(Reply::NoSuchCommand),
        Some(host) if port > 0 => Ok(Destination { host, port }),
        Some(_) | None => Err(Reply::NotAllowed),
    })
}

async fn read<const N: usize>(program: &mut TcpStream) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    program.read_exact(&mut bytes).await?;
    Ok(bytes)
}

/// The address that it is connected from is nobody's business.
async fn answer(program: &mut TcpStream, reply: Reply) -> io::Result<()> {
    program.write_all(&[VERSION, reply as u8, 0, V4, 0, 0, 0, 0, 0, 0]).await
}
