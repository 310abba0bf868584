// The TypeScript SDKs as clients of one server: see `driver.py` for what is said on stdin and stdout.
//
//     typescript_client.mjs <url> <1 | auto | legacy | 2026-07-28>
//
// 1 is the SDK of the first generation; the others are what the client of the second one is told to negotiate.

import { createInterface } from 'node:readline';

const [url, mode] = process.argv.slice(2);
const redirectUrl = process.env.OBO_REDIRECT;
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const say = message => process.stdout.write(JSON.stringify(message) + '\n');
const heard = async () => {
    const { value, done } = await lines.next();
    return done ? undefined : JSON.parse(value);
};

const sdk = mode === '1'
    ? {
          ...(await import('@modelcontextprotocol/sdk/client/index.js')),
          ...(await import('@modelcontextprotocol/sdk/client/streamableHttp.js')),
          ...(await import('@modelcontextprotocol/sdk/client/auth.js')),
      }
    : await import('@modelcontextprotocol/client');

// Nothing outlives the process.
const kept = {};
if (process.env.OBO_TOKENS) kept.tokens = JSON.parse(process.env.OBO_TOKENS);
if (process.env.OBO_CLIENT_ID) kept.client = { client_id: process.env.OBO_CLIENT_ID };
const authProvider = {
    redirectUrl,
    clientMetadata: {
        client_name: 'TypeScript',
        redirect_uris: [redirectUrl],
        token_endpoint_auth_method: 'none',
        grant_types: ['authorization_code', 'refresh_token'],
        response_types: ['code'],
    },
    state: () => (kept.state = crypto.randomUUID()),
    clientInformation: () => kept.client,
    saveClientInformation(client) {
        kept.client = client;
        say({ registered: client.client_id });
    },
    tokens: () => kept.tokens,
    saveTokens(tokens) {
        kept.tokens = tokens;
        say({ granted: tokens.scope });
    },
    redirectToAuthorization: address => say({ sign_in: String(address) }),
    saveCodeVerifier: verifier => (kept.verifier = verifier),
    codeVerifier: () => kept.verifier,
    saveDiscoveryState: state => (kept.discovery = state),
    discoveryState: () => kept.discovery,
};

const options = process.env.OBO_TOKEN
    ? { requestInit: { headers: { Authorization: `Bearer ${process.env.OBO_TOKEN}` } } }
    : { authProvider };
const negotiated = mode === '1' ? {} : { versionNegotiation: { mode: /^\d/.test(mode) ? { pin: mode } : mode } };

// Ends the login that a transport began.
async function finish(transport) {
    const back = new URL((await heard()).callback);
    if (back.searchParams.get('state') !== kept.state) throw new Error('another state came back');
    await transport.finishAuth(mode === '1' ? back.searchParams.get('code') : back.searchParams);
}

// The first generation can be asked by a server's own requests only, and a server without sessions has none.
const capabilities = mode === '1' ? {} : { elicitation: { form: {} } };
async function question({ params }) {
    say({ asks: params.message });
    const { action } = await heard();
    return action === 'accept' ? { action, content: {} } : { action };
}

let client, transport;
// A client connects once, and after a login it is another one.
async function connect() {
    for (let attempt = 0; ; attempt++) {
        transport = new sdk.StreamableHTTPClientTransport(new URL(url), options);
        client = new sdk.Client({ name: 'obo-proxy-tests', version: '1' }, { capabilities, ...negotiated });
        if (mode !== '1') client.setRequestHandler('elicitation/create', question);
        try {
            return await client.connect(transport);
        } catch (error) {
            if (!(error instanceof sdk.UnauthorizedError) || attempt > 0) throw error;
            await finish(transport);
        }
    }
}

async function obey({ method, name, arguments: given, uri }) {
    switch (method) {
        case 'tools/list': {
            const tools = [];
            for (let cursor; ; ) {
                const page = await client.listTools(cursor ? { cursor } : {});
                tools.push(...page.tools);
                if (!(cursor = page.nextCursor)) return { tools };
            }
        }
        case 'tools/call':
            return await client.callTool({ name, arguments: given });
        case 'resources/read':
            return await client.readResource({ uri });
    }
    throw new Error(method);
}

try {
    await connect();
    say({ ready: client.getNegotiatedProtocolVersion?.() ?? transport.protocolVersion });
    for (let command; (command = await heard()); ) {
        try {
            say({ result: await obey(command) });
        } catch (error) {
            if (error instanceof sdk.UnauthorizedError) {
                // More scopes were asked for: the person agrees, and the call is made again.
                await finish(transport);
                await connect();
                say({ result: await obey(command) });
            } else {
                say({ error: { code: error.code, message: String(error.message) } });
            }
        }
    }
    await client.close();
    process.exit(0);
} catch (error) {
    say({ failed: `${error.constructor.name}: ${error.message}` });
    process.exit(1);
}
