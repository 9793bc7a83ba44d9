//! Which addresses are of the internet, and not of the operator's own network.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Whether anybody may be sent to `address` without the operator having named it.
pub(super) fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let of_this_network = a == 0;
    let shared = a == 100 && (64..128).contains(&b);
    let of_protocols = a == 192 && b == 0 && c == 0;
    let for_benchmarks = a == 198 && (b == 18 || b == 19);
    let reserved = a >= 240;
    !(of_this_network
        || shared
        || of_protocols
        || for_benchmarks
        || reserved
        || address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_documentation()
        || address.is_multicast())
}

/// Of IPv6 only what has been given out, and nothing that leads back to an IPv4 address which is not public.
fn is_public_v6(address: Ipv6Addr) -> bool {
    if let Some(inner) = address.to_ipv4_mapped() {
        return is_public_v4(inner);
    }
    let [a, b, ..] = address.segments();
    let [.., g, h] = address.segments();
    let inner = |high: u16, low: u16| Ipv4Addr::from(u32::from(high) << 16 | u32::from(low));
    if address.segments()[..6] == [0x64, 0xff9b, 0, 0, 0, 0] {
        return is_public_v4(inner(g, h));
    }
    let given_out = a & 0xe000 == 0x2000;
    let for_documents = (a == 0x2001 && b == 0x0db8) || a == 0x3fff;
    let of_protocols = a == 0x2001 && b < 0x0200;
    let over_v4 = a == 0x2002;
    given_out && !for_documents && !of_protocols && !over_v4
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_of_the_operators_network_is_not_public() {
        for public in ["1.1.1.1", "93.184.216.34", "2606:4700::1111", "64:ff9b::101:101"] {
            assert!(is_public(public.parse().unwrap()), "{public}");
        }
        for own in [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "127.0.0.1",
            "169.254.169.254",
            "172.16.0.1",
            "192.0.0.192",
            "192.168.1.1",
            "198.18.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "64:ff9b::a9fe:a9fe",
            "64:ff9b:1::1",
            "2002:7f00:1::",
            "2001::1",
            "2001:db8::1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "fec0::1",
            "ff02::1",
        ] {
            assert!(!is_public(own.parse().unwrap()), "{own}");
        }
    }

    proptest! {
        #[test]
        fn an_address_in_another_is_judged_as_itself(address in any::<u32>()) {
            let address = Ipv4Addr::from(address);
            let mapped = IpAddr::V6(address.to_ipv6_mapped());
            prop_assert_eq!(is_public(mapped), is_public(IpAddr::V4(address)));
        }
    }
}
