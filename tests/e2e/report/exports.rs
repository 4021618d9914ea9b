//! Lists as files: CSV as RFC 4180 has it, workbooks, with the rights and filters of the list.

use tests::{Place, Server};

fn file(server: &Server, role: &str, path: &str) -> (u16, Vec<u8>) {
    server.get(&format!("/api/v1/exports/{path}"), Some(&server.token(role)))
}

#[test]
fn every_list_is_a_file_with_the_rows_and_rights_of_its_route() {
    let place = Place::demo("exports");
    let server = Server::start(&place, true);
    let mut seen = 0;
    for (noun, _) in wire::openapi::columns::lists() {
        let listed = server.get(&format!("/api/v1/{noun}"), Some(&server.token("admin"))).0;
        let (status, bytes) = file(&server, "admin", &format!("{noun}/file"));
        if status == 404 {
            continue;
        }
        assert_eq!(status, listed, "{noun}: {}", String::from_utf8_lossy(&bytes));
        if status == 200 {
            let text = String::from_utf8(bytes).unwrap();
            assert!(text.ends_with("\r\n") && !text.starts_with("\r\n"), "{noun}: {text}");
            seen += 1;
        }
    }
    assert!(seen > 20, "{seen} lists");
    assert_eq!(file(&server, "requester", "tokens/file").0, 403);
    assert_eq!(file(&server, "admin", "secrets/file").0, 404);
}

#[test]
fn a_file_has_all_pages_and_its_filters() {
    let place = Place::demo("exports-all");
    let server = Server::start(&place, true);
    let rows = |path: &str| {
        let (status, bytes) = file(&server, "auditor", path);
        assert_eq!(status, 200, "{path}: {}", String::from_utf8_lossy(&bytes));
        let text = String::from_utf8(bytes).unwrap();
        let mut reader = csv_rows(&text);
        let head = reader.remove(0);
        assert!(
            reader.iter().all(|row| row.len() == head.len()),
            "{path}: rows of one length"
        );
        reader.len()
    };
    let all = rows("changes/file");
    let drafts = rows("changes/file?state=draft");
    assert_eq!(
        rows("changes?state=draft"),
        drafts,
        "the plain address is the same file"
    );
    assert!(all > drafts && drafts > 0, "{all} {drafts}");
    let (status, book) = file(&server, "auditor", "changes/file?format=xlsx&state=draft");
    assert_eq!((status, &book[..2]), (200, &b"PK"[..]));
    assert_eq!(
        file(&server, "auditor", "changes/file?stat=draft").0,
        422,
        "a misspelt filter is refused"
    );
}

/// The records of a CSV text (RFC 4180), read by hand.
fn csv_rows(text: &str) -> Vec<Vec<String>> {
    let (mut rows, mut row, mut cell, mut is_quoted) = (Vec::new(), Vec::new(), String::new(), false);
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '"' if is_quoted && letters.peek() == Some(&'"') => {
                letters.next();
                cell.push('"');
            }
            '"' => is_quoted = !is_quoted,
            ',' if !is_quoted => row.push(std::mem::take(&mut cell)),
            '\r' if !is_quoted => {
                assert_eq!(letters.next(), Some('\n'), "a record ends with CRLF");
                row.push(std::mem::take(&mut cell));
                rows.push(std::mem::take(&mut row));
            }
            other => cell.push(other),
        }
    }
    rows
}
