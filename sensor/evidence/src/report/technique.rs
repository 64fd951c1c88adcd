//! Names of the ATT&CK techniques that detectors name (MITRE ATT&CK for Enterprise, version 17).

/// The technique with its name.
#[must_use]
pub fn technique(id: &str) -> String {
    let name = match id {
        "T1018" => "Remote System Discovery",
        "T1020" => "Automated Exfiltration",
        "T1021" => "Remote Services",
        "T1021.002" => "Remote Services: SMB/Windows Admin Shares",
        "T1039" => "Data from Network Shared Drive",
        "T1040" => "Network Sniffing",
        "T1041" => "Exfiltration Over C2 Channel",
        "T1046" => "Network Service Discovery",
        "T1048" => "Exfiltration Over Alternative Protocol",
        "T1059" => "Command and Scripting Interpreter",
        "T1071" => "Application Layer Protocol",
        "T1071.004" => "Application Layer Protocol: DNS",
        "T1078" => "Valid Accounts",
        "T1095" => "Non-Application Layer Protocol",
        "T1110" => "Brute Force",
        "T1119" => "Automated Collection",
        "T1200" => "Hardware Additions",
        "T1213" => "Data from Information Repositories",
        "T1219" => "Remote Access Tools",
        "T1486" => "Data Encrypted for Impact",
        "T1498" => "Network Denial of Service",
        "T1498.002" => "Network Denial of Service: Reflection Amplification",
        "T1499" => "Endpoint Denial of Service",
        "T1499.001" => "Endpoint Denial of Service: OS Exhaustion Flood",
        "T1499.002" => "Endpoint Denial of Service: Service Exhaustion Flood",
        "T1557" => "Adversary-in-the-Middle",
        "T1557.001" => "Adversary-in-the-Middle: LLMNR/NBT-NS Poisoning and SMB Relay",
        "T1557.003" => "Adversary-in-the-Middle: DHCP Spoofing",
        "T1557.002" => "Adversary-in-the-Middle: ARP Cache Poisoning",
        "T1565.002" => "Data Manipulation: Transmitted Data Manipulation",
        "T1567.002" => "Exfiltration Over Web Service: Exfiltration to Cloud Storage",
        "T1571" => "Non-Standard Port",
        "T1572" => "Protocol Tunneling",
        "T1573" => "Encrypted Channel",
        "T1595.002" => "Active Scanning: Vulnerability Scanning",
        _ => return id.to_owned(),
    };
    format!("{id} {name}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_technique_of_a_detector_has_a_name() {
        for about in sensor_analysis::detect::ALL {
            for id in about.techniques {
                assert!(technique(id).len() > id.len() + 1, "{}: {id}", about.id);
            }
        }
    }
}
