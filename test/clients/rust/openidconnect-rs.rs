//! The crate openidconnect, by its documentation.
mod small_app;

use std::env;

use openidconnect::core::*;
use openidconnect::*;
use serde_json::json;
use small_app::{show, Answer, Fault, Server, Tokens};

#[tokio::main]
async fn main() -> Result<(), Fault> {
    let http = reqwest::ClientBuilder::new().redirect(reqwest::redirect::Policy::none()).build()?;
    // LINES
    let nonce = Nonce::new_random();
    let state = CsrfToken::new_random();
    let mut kept = Tokens::default();
    let server = Server::start().await?;
    let refresh = async |token: String| -> Result<Tokens, Fault> {
        let got = client.exchange_refresh_token(&RefreshToken::new(token))?.request_async(&http).await?;
        Ok(keep(&got))
    };
    loop {
        let request = server.next().await?;
        let said: Result<Answer, Fault> = async {
            Ok(match request.route.as_str() {
                "GET /login" => {
                    let (asked_state, asked_nonce) = (state.clone(), nonce.clone());
                    let (url, _, _) = client
                        .authorize_url(CoreAuthenticationFlow::AuthorizationCode, move || asked_state, move || asked_nonce)
                        .add_scopes(env::var("SCOPE")?.split(' ').skip(1).map(|scope| Scope::new(scope.into())))
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
                        .exchange_code(code)?
                        .set_pkce_verifier(PkceCodeVerifier::new(verifier.secret().clone()))
                        .request_async(&http)
                        .await?;
                    got.id_token().ok_or("no ID token")?.claims(&client.id_token_verifier(), &nonce)?;
                    kept = keep(&got);
                    Answer::Redirect("/".into())
                }
                "GET /" => Answer::Json(json!({})),
                "GET /me" => {
                    let claims: CoreUserInfoClaims = client.user_info(AccessToken::new(kept.access.clone()), None)?.request_async(&http).await?;
                    Answer::Json(kept.said(json!({"sub": claims.subject().as_str()})))
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

fn keep(got: &CoreTokenResponse) -> Tokens {
    let refresh = got.refresh_token().map(|token| token.secret().clone()).unwrap_or_default();
    Tokens { access: got.access_token().secret().clone(), refresh }
}
