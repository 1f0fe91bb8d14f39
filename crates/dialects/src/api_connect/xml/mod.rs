//! XML as assemblies meet it: told from other bodies, and never with entities of its own.

pub(super) mod badgerfish;

use quick_xml::Reader;
use quick_xml::events::Event;

/// The way to a fault of SOAP, by local names (SOAP 1.1 section 4.4, SOAP 1.2 part 1 section 5.4).
const FAULT: [&str; 3] = ["Envelope", "Body", "Fault"];

/// Whether the octets are an envelope of SOAP with a fault in it.
pub(super) fn is_soap_fault(octets: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(octets) else { return false };
    let mut reader = Reader::from_str(text.trim_start_matches('\u{FEFF}'));
    let mut depth = 0;
    loop {
        match reader.read_event() {
            Ok(Event::Start(start)) if local(start.name().as_ref()) == FAULT[depth] => {
                depth += 1;
                if depth == FAULT.len() {
                    return true;
                }
            }
            Ok(Event::Start(start)) if depth > 0 => {
                if reader.read_to_end(start.name()).is_err() {
                    return false;
                }
            }
            Ok(Event::Empty(start)) if depth + 1 == FAULT.len() && local(start.name().as_ref()) == FAULT[depth] => {
                return true;
            }
            Ok(Event::Start(_) | Event::End(_) | Event::DocType(_) | Event::Eof) | Err(_) => return false,
            Ok(
                Event::Empty(_)
                | Event::Text(_)
                | Event::CData(_)
                | Event::Comment(_)
                | Event::Decl(_)
                | Event::PI(_)
                | Event::GeneralRef(_),
            ) => {}
        }
    }
}

/// A name without its prefix.
fn local(name: &str) -> &str {
    name.rsplit_once(':').map_or(name, |(_, local)| local)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_found_in_the_body_alone() {
        for xml in [
            "<s:Envelope xmlns:s='x'><s:Header><Fault/></s:Header><s:Body><s:Fault><a/></s:Fault></s:Body></s:Envelope>",
            "<?xml version='1.0'?><!-- c --><Envelope><Body> <Fault/></Body></Envelope>",
        ] {
            assert!(is_soap_fault(xml.as_bytes()), "{xml}");
        }
        for xml in [
            "<Envelope><Header><Fault/></Header><Body><r/></Body></Envelope>",
            "<Envelope><Body><r><Fault/></r></Body></Envelope>",
            "<Fault/>",
            "<Envelope><Body>",
            "no xml",
            "",
        ] {
            assert!(!is_soap_fault(xml.as_bytes()), "{xml}");
        }
    }
}
