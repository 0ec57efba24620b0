import '../style/base.css';
import './receipt.css';
import { startPage } from '../parts/hydrate.tsx';
import { receiptPage } from './page.tsx';

startPage(receiptPage);
