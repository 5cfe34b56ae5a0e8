import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.jwk.Curve;
import com.nimbusds.jose.jwk.ECKey;
import com.nimbusds.jose.jwk.gen.ECKeyGenerator;
import com.nimbusds.oauth2.sdk.*;
import com.nimbusds.oauth2.sdk.auth.*;
import com.nimbusds.oauth2.sdk.dpop.DefaultDPoPProofFactory;
import com.nimbusds.oauth2.sdk.http.*;
import com.nimbusds.oauth2.sdk.id.*;
import com.nimbusds.oauth2.sdk.pkce.*;
import com.nimbusds.oauth2.sdk.token.*;
import com.nimbusds.oauth2.sdk.util.JSONObjectUtils;
import com.nimbusds.openid.connect.sdk.*;
import com.nimbusds.openid.connect.sdk.claims.IDTokenClaimsSet;
import com.nimbusds.openid.connect.sdk.op.OIDCProviderMetadata;
import com.nimbusds.openid.connect.sdk.token.OIDCTokens;
import com.nimbusds.openid.connect.sdk.validators.AccessTokenValidator;
import com.nimbusds.openid.connect.sdk.validators.IDTokenValidator;
import java.io.*;
import java.net.URI;
import java.nio.file.*;
import java.security.KeyStore;
import java.security.cert.*;
import java.util.*;
import javax.net.ssl.*;
import net.minidev.json.JSONObject;

/**
 * An app on Nimbus's OAuth 2.0 SDK, as a client of the FAPI 2.0 Security Profile: its requests are
 * pushed, it proves itself with private_key_jwt, its tokens are bound by DPoP. peers_test.go says
 * what it reads and what it prints.
 */
public class Nimbus {
  final Map<String, Object> settings;
  final OIDCProviderMetadata server;
  final ClientID client;
  final ECKey key;
  final DefaultDPoPProofFactory proofs;

  public static void main(String[] arguments) throws Exception {
    trustWhatTheEnvironmentSays();
    String text = Files.readString(Path.of(arguments[arguments.length - 1]));
    new Nimbus(JSONObjectUtils.parse(text)).journey();
  }

  /** Java reads neither SSL_CERT_FILE nor HTTPS_PROXY by itself. */
  static void trustWhatTheEnvironmentSays() throws Exception {
    KeyStore roots = KeyStore.getInstance(KeyStore.getDefaultType());
    roots.load(null, null);
    try (InputStream file = new FileInputStream(System.getenv("SSL_CERT_FILE"))) {
      int number = 0;
      for (Certificate root : CertificateFactory.getInstance("X.509").generateCertificates(file)) {
        roots.setCertificateEntry("root-" + number++, root);
      }
    }
    TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
    trust.init(roots);
    SSLContext tls = SSLContext.getInstance("TLS");
    tls.init(null, trust.getTrustManagers(), null);
    HTTPRequest.setDefaultSSLSocketFactory(tls.getSocketFactory());
    HttpsURLConnection.setDefaultSSLSocketFactory(tls.getSocketFactory());
    URI proxy = URI.create(System.getenv("HTTPS_PROXY"));
    System.setProperty("https.proxyHost", proxy.getHost());
    System.setProperty("https.proxyPort", String.valueOf(proxy.getPort()));
  }

  Nimbus(Map<String, Object> settings) throws Exception {
    this.settings = settings;
    server = OIDCProviderMetadata.resolve(new Issuer(text("issuer")));
    client = new ClientID(text("client_id"));
    key = ECKey.parse(JSONObject.toJSONString(JSONObjectUtils.getJSONObject(new JSONObject(settings), "key")));
    proofs = new DefaultDPoPProofFactory(new ECKeyGenerator(Curve.P_256).generate(), JWSAlgorithm.ES256);
  }

  void journey() throws Exception {
    State state = new State();
    Nonce nonce = new Nonce();
    CodeVerifier verifier = new CodeVerifier();
    URI redirectURI = URI.create(text("redirect_uri"));
    AuthenticationRequest wanted =
        new AuthenticationRequest.Builder(ResponseType.CODE, Scope.parse(text("scope")), client, redirectURI)
            .state(state).nonce(nonce).codeChallenge(verifier, CodeChallengeMethod.S256).build();
    System.out.println(push(wanted));

    AuthorizationResponse answer = AuthorizationResponse.parse(URI.create(new BufferedReader(new InputStreamReader(System.in)).readLine()));
    if (!answer.indicatesSuccess() || !state.equals(answer.getState()) || !server.getIssuer().equals(answer.getIssuer())) {
      throw new IllegalStateException("the answer belongs to another request, or is an error");
    }
    AuthorizationCode code = answer.toSuccessResponse().getAuthorizationCode();
    OIDCTokens first = exchange(new AuthorizationCodeGrant(code, redirectURI, verifier));
    JWSAlgorithm algorithm = JWSAlgorithm.parse(text("id_token_signed_response_alg"));
    IDTokenClaimsSet idToken =
        new IDTokenValidator(server.getIssuer(), client, algorithm, server.getJWKSetURI().toURL())
            .validate(first.getIDToken(), nonce);
    AccessTokenValidator.validate(first.getAccessToken(), algorithm, idToken.getAccessTokenHash());
    OIDCTokens refreshed = exchange(new RefreshTokenGrant(first.getRefreshToken()));

    Map<String, Object> got = new LinkedHashMap<>();
    got.put("claims", idToken.toJSONObject());
    got.put("userinfo", userInfo(first.getAccessToken()));
    got.put("first", read(first));
    got.put("refreshed", read(refreshed));
    System.out.println(JSONObject.toJSONString(got));
  }

  /** Pushes the request (RFC 9126 §2) and says where to send the member. */
  URI push(AuthenticationRequest wanted) throws Exception {
    HTTPRequest request = new PushedAuthorizationRequest(server.getPushedAuthorizationRequestEndpointURI(), proof(), wanted).toHTTPRequest();
    PushedAuthorizationResponse response = PushedAuthorizationResponse.parse(send(request, null));
    if (!response.indicatesSuccess()) {
      throw new IllegalStateException(response.toErrorResponse().getErrorObject().toString());
    }
    return new AuthorizationRequest.Builder(response.toSuccessResponse().getRequestURI(), client)
        .endpointURI(server.getAuthorizationEndpointURI()).build().toURI();
  }

  OIDCTokens exchange(AuthorizationGrant grant) throws Exception {
    HTTPRequest request = new TokenRequest(server.getTokenEndpointURI(), proof(), grant).toHTTPRequest();
    TokenResponse response = OIDCTokenResponseParser.parse(send(request, null));
    if (!response.indicatesSuccess()) {
      throw new IllegalStateException(response.toErrorResponse().getErrorObject().toString());
    }
    return ((OIDCTokenResponse) response.toSuccessResponse()).getOIDCTokens();
  }

  /** The proof of who we are: an assertion for the issuer, new for each request (RFC 7523 §3). */
  ClientAuthentication proof() throws Exception {
    return new PrivateKeyJWT(
        new JWTAuthenticationClaimsSet(client, new Audience(server.getIssuer())),
        JWSAlgorithm.ES256, key.toECPrivateKey(), key.getKeyID(), null);
  }

  /** Sends a request with a DPoP proof, once more where the server wants its nonce in it (RFC 9449 §8). */
  HTTPResponse send(HTTPRequest request, AccessToken token) throws Exception {
    HTTPResponse response = attempt(request, token, null);
    boolean wantsNonce = response.getBody() != null && response.getBody().contains("use_dpop_nonce");
    if (!wantsNonce) {
      return response;
    }
    if (request.getBody() != null && request.getBody().contains("client_assertion=")) { // that one is used up
      Map<String, List<String>> form = request.getBodyAsFormParameters();
      form.putAll(((PrivateKeyJWT) proof()).toParameters());
      request.setBody(com.nimbusds.oauth2.sdk.util.URLUtils.serializeParameters(form));
    }
    return attempt(request, token, response.getDPoPNonce());
  }

  HTTPResponse attempt(HTTPRequest request, AccessToken token, Nonce nonce) throws Exception {
    String method = request.getMethod().name();
    request.setDPoP(token == null
        ? proofs.createDPoPJWT(method, request.getURI(), nonce)
        : proofs.createDPoPJWT(method, request.getURI(), token, nonce));
    return request.send();
  }

  Map<String, Object> userInfo(AccessToken token) throws Exception {
    HTTPRequest request = new UserInfoRequest(server.getUserInfoEndpointURI(), token).toHTTPRequest();
    return UserInfoResponse.parse(send(request, token)).toSuccessResponse().getUserInfo().toJSONObject();
  }

  Map<String, Object> get(URI address, AccessToken token) throws Exception {
    HTTPRequest request = new HTTPRequest(HTTPRequest.Method.GET, address);
    request.setAuthorization(token.toAuthorizationHeader());
    HTTPResponse response = send(request, token);
    response.ensureStatusCode(200);
    return response.getBodyAsJSONObject();
  }

  Map<String, Object> read(OIDCTokens tokens) throws Exception {
    Map<String, Object> results = get(URI.create(text("clinical") + "/v1/biomarkers/me"), tokens.getAccessToken());
    Map<String, Object> read = new LinkedHashMap<>();
    read.put("access_token", tokens.getAccessToken().getValue());
    read.put("refresh_token", tokens.getRefreshToken().getValue());
    read.put("id_token", tokens.getIDTokenString());
    read.put("token_type", tokens.getAccessToken().getType().getValue());
    read.put("scope", tokens.getAccessToken().getScope().toString());
    read.put("biomarkers", ((List<?>) results.get("biomarkers")).size());
    return read;
  }

  String text(String name) {
    return (String) settings.get(name);
  }
}
