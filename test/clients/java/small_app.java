import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.*;
import java.util.concurrent.*;
import net.minidev.json.JSONObject;

/**
 * What the small apps share: a web server that leads their routes to a library. One member, whose
 * tokens are kept in memory. A route that an app's library has nothing for is answered with 501;
 * what the library throws is shown as its developer would see it.
 */
abstract class SmallApp {
  static final String ISSUER = System.getenv("ISSUER");
  static final String CLIENT_ID = System.getenv("LOOP_CLIENT_ID");
  static final String CLIENT_SECRET = System.getenv("LOOP_CLIENT_SECRET");
  static final String REDIRECT_URI = System.getenv("REDIRECT_URI");
  static final String SCOPE = System.getenv("SCOPE");
  static final String TOKEN = ISSUER + "/v1/oauth/token";
  static final String USERINFO = ISSUER + "/v1/oauth/userinfo";

  record Tokens(String access, String refresh) {}

  volatile Tokens kept;

  /** Where the member is sent. */
  abstract String login() throws Exception;

  /** What the answer gives, whose address and parameters these are. */
  abstract Tokens callback(URI address, Map<String, String> answer) throws Exception;

  abstract String subject(Tokens tokens) throws Exception;

  Tokens refresh(Tokens tokens) throws Exception {
    throw new UnsupportedOperationException();
  }

  void disconnect(Tokens tokens) throws Exception {
    throw new UnsupportedOperationException();
  }

  /** Serves, and says the version of the library that a class is of: its file's name has it. */
  void serve(Class<?> of) throws IOException {
    String file = of.getProtectionDomain().getCodeSource().getLocation().getPath();
    String version = file.replaceAll(".*-([0-9.]+)\\.jar", "$1");
    HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", Integer.parseInt(System.getenv("PORT"))), 0);
    server.setExecutor(Executors.newCachedThreadPool());
    server.createContext("/", this::answer);
    server.start();
    System.out.println("ready " + version);
  }

  private void answer(HttpExchange exchange) throws IOException {
    int status = 200;
    String said;
    try {
      said = route(exchange);
      if (exchange.getResponseHeaders().containsKey("Location")) {
        status = 303;
      }
    } catch (UnsupportedOperationException none) {
      status = 501;
      said = "";
    } catch (Exception fault) {
      fault.printStackTrace();
      status = 500;
      said = fault.toString();
    }
    byte[] body = said.getBytes(StandardCharsets.UTF_8);
    exchange.sendResponseHeaders(status, body.length == 0 ? -1 : body.length);
    exchange.getResponseBody().write(body);
    exchange.close();
  }

  private String route(HttpExchange exchange) throws Exception {
    switch (exchange.getRequestMethod() + " " + exchange.getRequestURI().getPath()) {
      case "GET /login":
        return redirect(exchange, login());
      case "GET /callback":
        URI address = URI.create(System.getenv("BASE_URL")).resolve(exchange.getRequestURI());
        kept = callback(address, parameters(address.getRawQuery()));
        return redirect(exchange, "/");
      case "GET /":
        return "{}";
      case "GET /me":
        return json(kept, "sub", subject(kept));
      case "POST /refresh":
        kept = refresh(kept);
        return json(kept, "errors", List.of());
      case "POST /together":
        return json(kept, "errors", together());
      case "POST /disconnect":
        disconnect(kept);
        return "{}";
      default:
        throw new UnsupportedOperationException();
    }
  }

  private static String redirect(HttpExchange exchange, String to) {
    exchange.getResponseHeaders().set("Location", to);
    return "";
  }

  /** Refreshes twice at once, with one refresh token. */
  private List<String> together() throws Exception {
    Tokens used = kept;
    ExecutorService two = Executors.newFixedThreadPool(2);
    List<String> errors = new ArrayList<>();
    for (Future<Tokens> one : two.invokeAll(Collections.<Callable<Tokens>>nCopies(2, () -> refresh(used)))) {
      try {
        kept = one.get();
      } catch (ExecutionException fault) {
        if (fault.getCause() instanceof UnsupportedOperationException none) {
          throw none;
        }
        errors.add(fault.getCause().toString());
      }
    }
    two.shutdown();
    return errors;
  }

  private static String json(Tokens tokens, String name, Object value) {
    JSONObject said = new JSONObject(Map.of(name, value, "access_token", tokens.access()));
    said.put("refresh_token", tokens.refresh());
    return said.toString();
  }

  static Map<String, String> parameters(String query) {
    Map<String, String> all = new HashMap<>();
    for (String pair : query.split("&")) {
      String[] parts = pair.split("=", 2);
      all.put(parts[0], URLDecoder.decode(parts.length > 1 ? parts[1] : "", StandardCharsets.UTF_8));
    }
    return all;
  }
}
