use scimwright_filter::*;
use scimwright_core::*;
#[test]
fn probe() {
    let kind: usize = std::env::var("K").unwrap().parse().unwrap();
    let kib: usize = std::env::var("S").unwrap().parse().unwrap();
    let leaf = || Filter::present("title".parse().unwrap());
    let mut f = leaf();
    for d in 1..128 { f = if d % 2 == 0 { Filter::all(vec![leaf(), f]).unwrap() } else { Filter::any(vec![leaf(), f]).unwrap() }; }
    let catalog = Catalog::standard();
    let t = format!("{}a pr{}", "not (".repeat(127), ")".repeat(127));
    let b = f.bind(&Binding::new(catalog.resource_type("User").unwrap())).unwrap();
    let w = move || match kind {
        0 => { let _ = f.clone(); }
        1 => { let _ = f.to_string(); }
        2 => { let _ = format!("{f:?}"); }
        3 => { let _ = format!("{f:#?}"); }
        4 => { let _ = f.bind(&Binding::new(catalog.resource_type("User").unwrap())); }
        5 => { let _ = b.clone(); }
        6 => { let _ = format!("{b:?}"); }
        7 => { let _ = format!("{b:#?}"); }
        8 => { let _ = b.matches(&Resource::default()); }
        9 => { let _ = Syntax { max_depth: 128, ..Syntax::default() }.filter(&t); }
        _ => {}
    };
    std::thread::Builder::new().stack_size(kib * 1024).spawn(w).unwrap().join().unwrap();
}
