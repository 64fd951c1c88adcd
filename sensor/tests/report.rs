//! Reports as a user asks for them.

mod command;

use std::{io, path::Path};

use command::{Folder, wardtap};

/// A report of a form that there is not is refused before the daemon makes it.
#[test]
fn a_report_is_written_in_no_other_form_than_it_has() -> io::Result<()> {
    let folder = Folder::new()?;
    for report in [&["incident", "7"][..], &["compliance"]] {
        for name in ["x.odt", "x.docx"] {
            let path = folder.path().join(name).display().to_string();
            let arguments = ["--output", &path, "--socket", "/nowhere/control.sock"];
            let done = wardtap(&[&["report"], report, &arguments].concat())?;
            assert_eq!(done.code, Some(1), "{done:?}");
            assert!(
                done.error.contains(".md, .txt, .html, .pdf or .json"),
                "{done:?}"
            );
            assert!(!Path::new(&path).exists());
        }
    }
    Ok(())
}
