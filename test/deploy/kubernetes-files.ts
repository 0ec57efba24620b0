/** The manifests of deploy/kubernetes, in the order in which kustomization.yaml names them. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { parse, parseAllDocuments } from 'yaml';
import { deployFolder } from './compose-file.ts';

type Labels = Readonly<Record<string, string>>;
type Probe = { readonly httpGet: { readonly path: string; readonly port: string } };

type Container = {
  readonly name: string;
  readonly image: string;
  readonly args: readonly string[];
  readonly ports?: readonly { readonly name: string; readonly containerPort: number }[];
  readonly env: readonly {
    readonly name: string;
    readonly value?: string;
    readonly valueFrom?: { readonly secretKeyRef: { readonly name: string; readonly key: string } };
  }[];
  readonly envFrom: readonly { readonly configMapRef: { readonly name: string } }[];
  readonly startupProbe?: Probe;
  readonly livenessProbe?: Probe;
  readonly readinessProbe?: Probe;
  readonly securityContext: object;
};

export type Pod = {
  readonly automountServiceAccountToken: boolean;
  readonly enableServiceLinks: boolean;
  readonly terminationGracePeriodSeconds?: number;
  readonly securityContext: object;
  readonly containers: readonly Container[];
};

type PodMetadata = { readonly labels: Labels; readonly annotations?: Labels };

/** What our manifests use. Their schemas are checked before anything is read from them. */
export type Manifest = {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly labels?: Labels };
  readonly data?: Labels;
  readonly spec: {
    readonly template?: { readonly metadata: PodMetadata; readonly spec: Pod };
    readonly selector?: Labels & { readonly matchLabels?: Labels };
    readonly podSelector?: { readonly matchLabels?: Labels };
    readonly scaleTargetRef?: { readonly kind: string; readonly name: string };
    readonly minReplicas?: number;
    readonly maxReplicas?: number;
  };
};

export type Kustomization = {
  readonly resources: readonly string[];
  readonly images: readonly { readonly name: string; readonly newTag: string }[];
};

const folder = path.join(deployFolder, 'kubernetes');
const entryName = 'kustomization.yaml';

export function readKustomization(): Kustomization {
  return parse(readFileSync(path.join(folder, entryName), 'utf8')) as Kustomization; // Our own file.
}

/** Every other file of the folder. */
export function listManifestFiles(): string[] {
  return readdirSync(folder).filter((name) => name !== entryName);
}

export function readManifests(): Manifest[] {
  return readKustomization().resources.flatMap(
    (name) =>
      parseAllDocuments(readFileSync(path.join(folder, name), 'utf8')).map((document) => document.toJS() as Manifest), // kubernetes.test.ts checks the shape.
  );
}

/** The manifests that make pods, with the pod that each makes. */
export function podsOf(manifests: readonly Manifest[]): (PodMetadata & { name: string; pod: Pod })[] {
  return manifests.flatMap(({ metadata, spec }) =>
    spec?.template === undefined ? [] : [{ ...spec.template.metadata, name: metadata.name, pod: spec.template.spec }],
  );
}
