//! `$search`: what is found, in which order, in pages, and what is not mixed with it.

use super::world::{World, mail, support};

async fn world(count: usize) -> World {
    let world = World::new();
    for number in 0..count {
        let kind = if number % 2 == 0 { "even" } else { "odd" };
        world
            .inject(mail(&format!("{kind} number{number}"), &format!("{number}@x")))
            .await;
        world.advance(60);
    }
    world
}

#[tokio::test]
async fn a_search_finds_by_words_and_properties() {
    let world = world(4).await;
    let subjects = |query: &str| {
        let (world, path) = (&world, support(&format!("messages?$search={query}")));
        async move { world.get(&path).await.expect(200).each("subject") }
    };
    assert_eq!(subjects("\"subject:even\"").await.len(), 2);
    assert_eq!(subjects("%22odd%20AND%20number3%22").await, ["odd number3"]);
    assert_eq!(subjects("\"from:ada AND number1\"").await, ["odd number1"]);
    assert!(subjects("\"hasAttachment:true\"").await.is_empty());
    assert_eq!(subjects("even").await.len(), 2);
}

#[tokio::test]
async fn a_folder_is_searched_by_itself() {
    let world = world(1).await;
    let path = |folder: &str| support(&format!("mailFolders/{folder}/messages?$search=\"even\""));
    assert_eq!(world.get(&path("inbox")).await.expect(200).list().len(), 1);
    assert!(world.get(&path("archive")).await.expect(200).list().is_empty());
}

#[tokio::test]
async fn pages_go_on_by_a_sealed_cursor_up_to_the_cap() {
    let world = world(7).await;
    let mut behaviour = world.service.behaviour();
    behaviour.search_results = 5;
    world.service.set_behaviour(behaviour).unwrap();
    let mut link = support("messages?$search=\"ada\"&$top=2&$select=subject");
    let mut seen = Vec::new();
    let mut pages = 0;
    loop {
        let page = world.get(&link).await.expect(200);
        seen.extend(page.each("id"));
        pages += 1;
        match page.json.get("@odata.nextLink") {
            Some(next) => link = next.as_str().unwrap().to_owned(),
            None => break,
        }
    }
    assert_eq!((seen.len(), pages), (5, 3));
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 5);
    let foreign = link.replace("ada", "body");
    assert_eq!(
        world.get(&foreign).await.expect(400).code(),
        "ErrorExecuteSearchStaleData"
    );
    world.advance(7_200);
    assert_eq!(world.get(&link).await.expect(400).code(), "ErrorExecuteSearchStaleData");
}

#[tokio::test]
async fn a_search_is_not_mixed_and_not_guessed() {
    let world = world(1).await;
    for (query, code) in [
        ("$search=\"a\"&$filter=isRead eq true", "SearchWithFilter"),
        ("$search=\"a\"&$orderby=subject", "SearchWithOrderBy"),
        ("$search=\"a\"&$skip=1", "SearchWithSkip"),
        ("$search=\"a\"&$count=true", "SearchWithCount"),
        ("$search=\"colour:blue\"", "BadRequest"),
        ("$search=\"(a\"", "BadRequest"),
        ("$search=from:ada", "BadRequest"),
        ("$search=", "BadRequest"),
        ("$skiptoken=abc", "BadRequest"),
    ] {
        let answer = world.get(&support(&format!("messages?{query}"))).await.expect(400);
        assert_eq!(answer.code(), code, "{query}");
    }
    world.get(&support("messages/$count?$search=\"a\"")).await.expect(400);
    world
        .get(&support("mailFolders/inbox/messages/delta?$search=\"a\""))
        .await
        .expect(400);
}
