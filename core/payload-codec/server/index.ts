export { type CodecAuthority, type MayDecode, type Reader, tokenAuthority } from './codec-authority';
export { CodecService } from './codec-service';
export { type CodecServer, type CodecServerOptions, serveCodec } from './serve-codec';
