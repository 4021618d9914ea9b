//! Writes every sample of every page as HTML, with the assets beside it:
//! `cargo run -p pages --example samples -- OUT_DIR`.

use std::path::Path;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let out = std::env::args().nth(1).ok_or("name a folder to write into")?;
    let out = Path::new(&out);
    std::fs::create_dir_all(out)?;
    for name in pages::assets::names() {
        let asset = pages::assets::get(name).ok_or("a named asset is missing")?;
        std::fs::write(out.join(name), asset.bytes)?;
    }
    for sample in pages::samples::all() {
        let html = sample.html.replace("\"/assets/", "\"");
        std::fs::write(out.join(format!("{}.html", sample.name)), html)?;
    }
    Ok(())
}
