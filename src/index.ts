/** Wherry as a library: `connect` and `join` for clients, `serve` for servers. What is exported here is documented and versioned. */
export { connect, join } from './client/client.ts';
export { newAction } from './client/action.ts';
export type {
  Acting, Active, AskedTime, Client, ConnectOptions, Entry, Item, Joined, JoinOptions, Level, Limit, ListPage, Measured, MeasureOptions, Met, Plan, PlanOptions, Problem, Progress, Remembered, RequestOptions, Right, ServerInfo, Space, Summary, TransferOptions, Undone, UndoOptions, UndoStep, Usage,
} from './client/api.ts';
export { Failure } from './errors.ts';
export type { Code, Party } from './errors.ts';
export { serve } from './server/server.ts';
export type { Reachable, ServeOptions, Server, ServerEvent } from './server/server.ts';
