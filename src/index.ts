/** Wherry as a library: `connect` and `join` for clients, `serve` for servers. What is exported here is documented and versioned. */
export { connect, join } from './client/client.ts';
export type {
  Client, ConnectOptions, Entry, Item, Joined, JoinOptions, Level, ListPage, Problem, Progress, RequestOptions, Right, ServerInfo, Space, Summary, TransferOptions, Usage,
} from './client/api.ts';
export { Failure } from './errors.ts';
export type { Code, Party } from './errors.ts';
export { serve } from './server/server.ts';
export type { ServeOptions, Server, ServerEvent } from './server/server.ts';
