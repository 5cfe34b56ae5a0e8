// What the app is registered with: no secret, since a page can keep none.
//
//   loop client create --type public --name "Results in the browser" \
//     --redirect-uri http://localhost:5000/ --allowed-origin http://localhost:5000 \
//     --scope "openid read:biomarkers"
export const issuer = 'http://localhost:4000';
export const clinical = 'http://localhost:4001';
export const clientId = 'client_…';
export const redirectUri = 'http://localhost:5000/';
