//! The crate oauth2, by its documentation.
mod small_app;

use std::env;

use oauth2::basic::*;
use oauth2::*;
use serde_json::json;
use small_app::{show, Answer, Fault, Server, Tokens};

#[tokio::main]
async fn main() -> Result<(), Fault> {
    let http = reqwest::ClientBuilder::new().redirect(reqwest::redirect::Policy::none()).build()?;
    // LINES
    let state = CsrfToken::new_random();
    let mut kept = Tokens::default();
    let server = Server::start().await?;
    let refresh = async |token: String| -> Result<Tokens, Fault> {
        let got = client.exchange_refresh_token(&RefreshToken::new(token)).request_async(&http).await?;
        Ok(keep(&got))
    };
    loop {
        let request = server.next().await?;
        let said: Result<Answer, Fault> = async {
            Ok(match request.route.as_str() {
                "GET /login" => {
                    let asked_state = state.clone();
                    let (url, _) = client
                        .authorize_url(move || asked_state)
                        .add_scopes(env::var("SCOPE")?.split(' ').map(|scope| Scope::new(scope.into())))
                        .set_pkce_challenge(challenge.clone())
                        .url();
                    Answer::Redirect(url.into())
                }
                "GET /callback" => {
                    if request.parameters.get("state") != Some(state.secret()) {
                        return Err("the state is not the session's".into());
                    }
                    let code = AuthorizationCode::new(request.parameters.get("code").ok_or("no code")?.clone());
                    let got = client
                        .exchange_code(code)
                        .set_pkce_verifier(PkceCodeVerifier::new(verifier.secret().clone()))
                        .request_async(&http)
                        .await?;
                    kept = keep(&got);
                    Answer::Redirect("/".into())
                }
                "GET /" => Answer::Json(json!({})),
                "GET /me" => {
                    let userinfo = env::var("ISSUER")? + "/v1/oauth/userinfo";
                    let claims = http.get(userinfo).bearer_auth(&kept.access).send().await?.text().await?;
                    Answer::Json(kept.said(serde_json::from_str(&claims)?))
                }
                "POST /refresh" => {
                    kept = refresh(kept.refresh.clone()).await?;
                    Answer::Json(kept.said(json!({})))
                }
                "POST /together" => {
                    let (one, other) = tokio::join!(refresh(kept.refresh.clone()), refresh(kept.refresh.clone()));
                    let mut errors = vec![];
                    for each in [one, other] {
                        match each {
                            Ok(got) => kept = got,
                            Err(fault) => errors.push(show(fault.as_ref())),
                        }
                    }
                    Answer::Json(kept.said(json!({"errors": errors})))
                }
                _ => Answer::None,
            })
        }
        .await;
        request.answer(said).await?;
    }
}

fn keep(got: &BasicTokenResponse) -> Tokens {
    let refresh = got.refresh_token().map(|token| token.secret().clone()).unwrap_or_default();
    Tokens { access: got.access_token().secret().clone(), refresh }
}
