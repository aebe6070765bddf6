//! Signing out of Grafana.

use serde_json::json;
use ssoproof_embedded::dial::Names;
use ssoproof_embedded::grafana::{Grafana, Settings};

use crate::browser::Browser;
use crate::grafana::{claims, settings, sign_in};
use crate::idp::{Idp, jwt};

const END_SESSION: &str = "https://auth.test/application/o/grafana/end-session/";

async fn signed_in(idp: &Idp, grafana: &Grafana) -> Browser {
    idp.show_claims(&claims("alice", json!([])));
    let mut browser = Browser::new(grafana.address());
    assert_eq!(sign_in(&mut browser).await.line(), "302 /");
    browser
}

fn to(url: &str, names: &Names) -> Settings {
    Settings { signout_redirect_url: Some(url.to_owned()), ..settings(names) }
}

#[tokio::test]
async fn sign_out_ends_the_session_here_and_goes_to_end_session_as_it_stands() {
    let names = Names::default();
    let idp = Idp::start(&names).await;
    let grafana = Grafana::start(to(END_SESSION, &names)).await.unwrap();
    let mut browser = signed_in(&idp, &grafana).await;
    let stolen = browser.jar["grafana_session"].clone();
    let told = browser.get("/logout").await;
    assert_eq!(told.line(), format!("302 {END_SESSION}"));
    assert_eq!(
        told.cookies(),
        [
            "grafana_session=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax",
            "grafana_session_expiry=; Path=/; Max-Age=0; SameSite=Lax",
        ]
    );
    browser.jar.insert("grafana_session".to_owned(), stolen);
    assert_eq!(browser.get("/api/user").await.status(), 401);
    // An anonymous browser is sent there too.
    assert_eq!(Browser::new(grafana.address()).get("/logout").await.line(), format!("302 {END_SESSION}"));
}

#[tokio::test]
async fn sign_out_without_a_url_ends_at_the_login_page() {
    let names = Names::default();
    let idp = Idp::start(&names).await;
    let grafana = Grafana::start(settings(&names)).await.unwrap();
    let mut browser = signed_in(&idp, &grafana).await;
    assert_eq!(browser.get("/logout").await.line(), "302 /login");
    assert_eq!(browser.get("/").await.line(), "302 /login");
}

#[tokio::test]
async fn hint_is_added_only_where_a_return_address_is_and_only_while_the_token_is_good() {
    let names = Names::default();
    let idp = Idp::start(&names).await;
    let url = format!("{END_SESSION}?post_logout_redirect_uri=https%3A%2F%2Fdashboard.test%2Flogin");
    let grafana = Grafana::start(to(&url, &names)).await.unwrap();
    let mut browser = signed_in(&idp, &grafana).await;
    let hint = jwt(&claims("alice", json!([])));
    assert_eq!(
        browser.get("/logout").await.line(),
        format!(
            "302 {END_SESSION}?id_token_hint={hint}&post_logout_redirect_uri=https%3A%2F%2Fdashboard.test%2Flogin"
        )
    );
    // Nobody signed in: no hint to give.
    assert_eq!(browser.get("/logout").await.line(), format!("302 {url}"));
    // A token within ten seconds of its end counts as expired.
    idp.show_token(200, json!({ "access_token": "opaque", "expires_in": 5, "id_token": hint }));
    sign_in(&mut browser).await;
    assert_eq!(browser.get("/logout").await.line(), format!("302 {url}"));
}
